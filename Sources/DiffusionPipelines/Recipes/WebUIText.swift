import Foundation

/// The text `parameters` of AUTOMATIC1111's web UI, taken apart (its `parse_generation_parameters`): a prompt of any number
/// of lines, `Negative prompt:` and its lines, and a last line of fields.
struct WebUIText {
  let prompt: String
  let negative: String
  /// In order; quoted values are without their quotes.
  let fields: [(name: String, value: String)]

  /// A last line with fewer fields belongs to the prompt.
  private static let fewestFields = 3

  init(_ text: String) {
    var lines = text.trimmingCharacters(in: .whitespacesAndNewlines)
      .split(separator: "\n", omittingEmptySubsequences: false).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
    let last = Self.fields(of: lines.last ?? "")
    if last.count >= Self.fewestFields {
      lines.removeLast()
      fields = last
    } else {
      fields = []
    }
    let marker = "Negative prompt:"
    let start = lines.firstIndex { $0.hasPrefix(marker) } ?? lines.count
    prompt = lines[..<start].joined(separator: "\n")
    negative = lines[start...].enumerated().map { index, line in
      index == 0 ? line.dropFirst(marker.count).trimmingCharacters(in: .whitespaces) : line
    }.joined(separator: "\n")
  }

  subscript(_ name: String) -> String? { fields.last { $0.name == name }?.value }

  /// `name: value` between commas; a value with commas, colons or line breaks in it stands in quotes, as JSON.
  private static func fields(of line: String) -> [(name: String, value: String)] {
    let pattern = #/\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)/#
    return line.matches(of: pattern).map { match in
      (String(match.1), unquoted(String(match.2).trimmingCharacters(in: .whitespaces)))
    }
  }

  private static func unquoted(_ value: String) -> String {
    guard value.hasPrefix("\""), value.hasSuffix("\""), value.count > 1 else { return value }
    return (try? JSONDecoder().decode(String.self, from: Data(value.utf8))) ?? value
  }

  /// A value as it stands in the line.
  static func quoted(_ value: String) -> String {
    guard value.contains(where: { ",:\n".contains($0) }) else { return value }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    guard let data = try? encoder.encode(value) else { return value }
    return String(decoding: data, as: UTF8.self)
  }
}
