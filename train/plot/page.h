// The learning curves of runs as one file that needs no other: a page, or an image.
#pragma once

#include <span>
#include <string>

#include "train/run_history.h"

namespace heddle {

/// A page of HTML, light or dark as the reader prefers, with values where the pointer is.
/// Well-formed as XML, too.
std::string html_page(std::span<const RunHistory> runs);

/// An image on white, for documents.
std::string svg_image(std::span<const RunHistory> runs);

}  // namespace heddle
