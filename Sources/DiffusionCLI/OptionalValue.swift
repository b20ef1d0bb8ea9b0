/// Options whose value may be left out (`--json` or `--json FILE`), which the argument parser does not know.
///
/// Before parsing, a bare one gets the value that stands here: `-` is standard output.
enum OptionalValue {
  static let options = ["--json": "-", "--masked-area": "32"]

  static func normalized(_ arguments: [String]) -> [String] {
    var result: [String] = []
    for (index, argument) in arguments.enumerated() {
      result.append(argument)
      guard let usual = options[argument] else { continue }
      let next = index + 1 < arguments.count ? arguments[index + 1] : nil
      if next == nil || next?.hasPrefix("--") == true { result.append(usual) }
    }
    return result
  }
}
