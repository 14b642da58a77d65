#include "train/plot/xml.h"

#include <doctest/doctest.h>

#include "tests/support/xml.h"

using heddle::xml_escaped;
using heddle::testing::xml_error;

TEST_CASE("plot xml: what means something in XML is escaped, what it cannot hold replaced") {
  CHECK(xml_escaped("runs/toy") == "runs/toy");
  CHECK(xml_escaped("<a href=\"x\">'&amp;'</a>") ==
        "&lt;a href=&quot;x&quot;&gt;&#39;&amp;amp;&#39;&lt;/a&gt;");
  CHECK(xml_escaped("\u00e9\u4e2d \U0001F9F5\t\n") == "\u00e9\u4e2d \U0001F9F5\t\n");
  CHECK(xml_escaped(std::string_view("a\0b\x1b\x7f", 5)) == "a\uFFFDb\uFFFD\x7f");
  CHECK(xml_escaped("\xff\xc3") == "\uFFFD\uFFFD");
  CHECK(xml_escaped("\uFFFD\uFFFF") == "\uFFFD\uFFFD");
}

TEST_CASE("plot xml: the tests' reader sees what is not well-formed") {
  CHECK(xml_error("<!DOCTYPE html>\n<a b=\"1\"><c/>x &lt; y</a>\n") == "");
  CHECK(xml_error("") == "no element");
  CHECK(xml_error("<a><b></a></b>") == "</a");
  CHECK(xml_error("<a>") == "<a> without its end");
  CHECK(xml_error("<a>1 & 2</a>") == "a bare & in: 1 & 2");
  CHECK(xml_error("<a b=1/>") == "attributes without quotes in: a b=1/");
  CHECK(xml_error("<a/><b/>") == "a second root");
  CHECK(xml_error("<a/>text") == "text beside the root");
  CHECK(xml_error("<a>\x1b</a>") == "a control character");
  CHECK(xml_error("<a b=\"<\"/>") == "a bare < in: a b=\"<\"/");
}
