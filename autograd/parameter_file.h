// Parameters in a safetensors file: the second phase of a store, from a file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "autograd/parameter.h"
#include "autograd/safetensors.h"

namespace heddle {

/// Writes all parameters in the order of the slab, whole or not at all.
void save_parameters(const std::filesystem::path& path, const ParameterStore& store,
                     const SafetensorsMetadata& metadata = {});

/// How a file and a model differ, by parameter name.
struct ParameterDifferences {
  std::vector<std::string> missing;     // the model has them, the file does not
  std::vector<std::string> unexpected;  // the file has them, the model does not
  std::vector<std::string> misshapen;   // shape or type: "name: [3, 4] in the file, ..."

  bool none() const { return missing.empty() && unexpected.empty() && misshapen.empty(); }
  /// One line with all names of each kind.
  std::string message() const;
};

ParameterDifferences differences(const SafetensorsFile& file, const ParameterStore& store);

/// Fills a store whose parameters are declared. Where the file holds exactly the slab (same names,
/// order and type) it is mapped, not read: pages come in as they are used, and writing to the slab
/// does not reach the file. Otherwise values are copied, and converted between float32 and float64.
/// Throws FileError with all differences where there are any.
void load_parameters(const std::filesystem::path& path, ParameterStore& store);

/// Copies the values of all parameters that the file has, too, into an allocated store; the others
/// stay as they are. Names that are on one side only are the result. Throws FileError where a
/// parameter has another shape or no floating type.
ParameterDifferences load_matching_parameters(const std::filesystem::path& path,
                                              ParameterStore& store);

}  // namespace heddle
