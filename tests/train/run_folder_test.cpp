// A run's folder keeps what is complete, whatever happens in between.
#include "train/run_folder.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <stdexcept>

#include "decode/trained_model.h"
#include "tests/support/temporary_folder.h"

using namespace heddle;
using heddle::testing::failure;
using heddle::testing::read_bytes;
using heddle::testing::TemporaryFolder;
using heddle::testing::write_bytes;
namespace fs = std::filesystem;

namespace {

std::function<void(const fs::path&)> model_of(const std::string& bytes) {
  return [=](const fs::path& folder) { write_bytes(folder / "model.safetensors", bytes); };
}

using Updates = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("run folder: checkpoints appear whole, are replaced whole, and are removed") {
  const TemporaryFolder folder;
  RunFolder run(folder / "run", RunFolder::Open::kNew);
  CHECK(run.checkpoints().empty());
  run.write_checkpoint(500, model_of("a"));
  run.write_checkpoint(1000000, model_of("b"));
  CHECK(run.checkpoints() == Updates{500, 1000000});
  CHECK(run.checkpoint(500).filename() == "step-000500");
  CHECK(run.checkpoint(1000000).filename() == "step-1000000");
  CHECK(read_bytes(run.checkpoint(500) / "model.safetensors") == "a");
  run.write_checkpoint(500, model_of("c"));
  CHECK(read_bytes(run.checkpoint(500) / "model.safetensors") == "c");
  CHECK(run.checkpoints().size() == 2);
  const auto fails = [](const fs::path& path) {
    write_bytes(path / "model.safetensors", "half");
    throw std::runtime_error("the disk is full");
  };
  CHECK_THROWS_WITH(run.write_checkpoint(500, fails), "the disk is full");
  CHECK_THROWS_WITH(run.write_checkpoint(600, fails), "the disk is full");
  CHECK(read_bytes(run.checkpoint(500) / "model.safetensors") == "c");
  CHECK(run.checkpoints() == Updates{500, 1000000});
  run.remove_checkpoint(500);
  CHECK(run.checkpoints() == Updates{1000000});
  const auto entries = fs::directory_iterator(run.path() / "checkpoints");
  CHECK(std::distance(begin(entries), end(entries)) == 2);  // and "last"
}

TEST_CASE("run folder: what is there to go on from counts for nothing else, and goes") {
  const TemporaryFolder folder;
  RunFolder run(folder / "run", RunFolder::Open::kNew);
  const auto names = [&] {
    std::vector<std::string> result;
    for (const fs::path& path : run.to_resume()) result.push_back(path.filename().string());
    return result;
  };
  using Names = std::vector<std::string>;
  run.write_checkpoint(1, model_of("a"));
  run.write_checkpoint(3, model_of("b"));
  run.write_interim(4, model_of("c"));
  run.write_interim(5, model_of("d"));
  CHECK(run.checkpoints() == Updates{1, 3});
  CHECK(run.pointed("last") == 5);
  CHECK(names() == Names{"resume-000005", "step-000003", "step-000001"});
  CHECK(find_checkpoint(run.path()).filename() == "resume-000005");
  run.write_checkpoint(5, model_of("e"));
  CHECK(names() == Names{"step-000005", "step-000003", "step-000001"});
  run.point("last", 3);  // somebody wants to go back
  CHECK(names() == Names{"step-000003", "step-000001"});
  run.write_interim(3, model_of("f"));
  CHECK(names() == Names{"resume-000003", "step-000003", "step-000001"});
  fs::remove(run.path() / "checkpoints" / "last");
  CHECK(names() == Names{"step-000005", "resume-000003", "step-000003", "step-000001"});
}

TEST_CASE("run folder: nothing is written into what took its place") {
  const TemporaryFolder folder;
  {
    RunFolder run(folder / "run", RunFolder::Open::kNew);
    fs::rename(folder / "run", folder / "moved");
    RunFolder another(folder / "run", RunFolder::Open::kNew);
    CHECK(failure([&] { run.write_checkpoint(1, model_of("a")); }) ==
          (folder / "run").string() + ": was removed or replaced while the run went on");
    another.write_checkpoint(1, model_of("b"));
  }
  CHECK(read_bytes(folder / "run" / "checkpoints" / "last" / "model.safetensors") == "b");
}

TEST_CASE("run folder: links point to checkpoints and are replaced") {
  const TemporaryFolder folder;
  RunFolder run(folder / "run", RunFolder::Open::kNew);
  CHECK_FALSE(run.pointed("last"));
  run.write_checkpoint(1, model_of("a"));
  run.write_checkpoint(2, model_of("b"));
  run.point("last", 1);
  CHECK(run.pointed("last") == 1);
  run.point("last", 2);
  run.point("best", 1);
  CHECK(run.pointed("last") == 2);
  CHECK(find_checkpoint(run.path()) == fs::canonical(run.checkpoint(1)));
  run.remove_checkpoint(1);
  CHECK_FALSE(run.pointed("best"));
  CHECK(find_checkpoint(run.path()) == fs::canonical(run.checkpoint(2)));
  CHECK(find_checkpoint(run.checkpoint(2)) == run.checkpoint(2));
}

TEST_CASE("run folder: a run is neither overwritten nor invented") {
  const TemporaryFolder folder;
  const fs::path path = folder / "run";
  const auto open = [&](RunFolder::Open how) { return failure([&] { RunFolder(path, how); }); };
  {
    RunFolder run(path, RunFolder::Open::kContinue);  // begins where there is none
    run.write_checkpoint(7, model_of("a"));
    write_bytes(path / "notes.txt", "mine");
    CHECK(open(RunFolder::Open::kContinue) ==
          path.string() + ": another process (" + std::to_string(::getpid()) +
              ") trains in this folder; wait for its end, or give another folder with --run");
  }
  CHECK(open(RunFolder::Open::kNew) ==
        path.string() + ": holds a run; continue it with --resume, or throw it away with --force");
  const std::vector<fs::path> leftovers = {"checkpoints/step-000008.tmp.12", "averaged.tmp.12",
                                           "config.json.tmp.12", "cache/train.tmp.12"};
  fs::create_directory(path / "output.tmp.12");  // of another program
  for (const fs::path& left : leftovers) fs::create_directories(path / left);
  {
    const RunFolder run(path, RunFolder::Open::kContinue);
    CHECK(run.checkpoints() == Updates{7});
    for (const fs::path& left : leftovers) CHECK_FALSE(fs::exists(path / left));
    CHECK(fs::exists(path / "output.tmp.12"));
  }
  {
    RunFolder run(path, RunFolder::Open::kForce);
    CHECK(run.checkpoints() == Updates{7});  // until the new run is sure to begin
    run.begin("{}");
    CHECK(run.checkpoints().empty());
  }
  CHECK(read_bytes(path / "notes.txt") == "mine");
  write_bytes(folder / "file", "x");
  CHECK(failure([&] { RunFolder(folder / "file", RunFolder::Open::kNew); }) ==
        (folder / "file").string() + ": is a file; give the folder of a run");
}

TEST_CASE("run folder: what is no model is refused") {
  const TemporaryFolder folder;
  const fs::path missing = folder / "missing";
  CHECK(failure([&] { find_checkpoint(missing); }) ==
        missing.string() + ": there is no such model");
  fs::create_directory(folder / "empty");
  CHECK(failure([&] {
          find_checkpoint(folder / "empty");
        }).starts_with((folder / "empty").string() + ": not a model; give the directory of a run"));
}

TEST_CASE("run folder: what did not begin leaves nothing behind") {
  const TemporaryFolder folder;
  { const RunFolder run(folder / "run", RunFolder::Open::kNew); }
  CHECK_FALSE(fs::exists(folder / "run"));
  fs::create_directories(folder / "mine" / "cache");
  fs::create_directories(folder / "mine" / "checkpoints");
  for (const RunFolder::Open how : {RunFolder::Open::kNew, RunFolder::Open::kForce}) {
    CHECK(failure([&] { RunFolder(folder / "mine", how); }) ==
          (folder / "mine").string() + ": holds files that are no run; give another folder");
  }
  CHECK(fs::exists(folder / "mine" / "cache"));
  write_bytes(folder / "mine" / "lock", "");  // a start that was killed
  { const RunFolder run(folder / "mine", RunFolder::Open::kNew); }
  CHECK(fs::is_empty(folder / "mine"));
  {
    RunFolder run(folder / "mine", RunFolder::Open::kNew);
    run.begin("{}");
  }
  CHECK(read_bytes(folder / "mine" / "config.json") == "{}");
  CHECK(failure([&] { RunFolder(folder / "mine", RunFolder::Open::kNew); }).ends_with("--force"));
}
