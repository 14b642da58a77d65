// heddle_toy_corpus FOLDER: writes the toy corpus, the same bytes each time.
#include <cstdio>
#include <exception>

#include "data/toy/corpus.h"

int main(int count, char** arguments) {
  if (count != 2) {
    std::fputs("Usage: heddle_toy_corpus FOLDER, for example heddle_toy_corpus data/toy\n", stderr);
    return 2;
  }
  try {
    heddle::toy::write_files(heddle::toy::files_of(heddle::toy::make_corpus(heddle::toy::kSeed)),
                             arguments[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "heddle_toy_corpus: %s\n", error.what());
    return 5;
  }
  return 0;
}
