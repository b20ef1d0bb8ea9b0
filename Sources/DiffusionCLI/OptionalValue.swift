/// Options whose value may be left out (`--json` or `--json FILE`), which the argument parser does not know.
///
/// Before parsing, a bare one gets the value `-`, which stands for standard output.
enum OptionalValue {
  static let options: Set<String> = ["--json"]

  static func normalized(_ arguments: [String]) -> [String] {
    var result: [String] = []
    for (index, argument) in arguments.enumerated() {
      result.append(argument)
      guard options.contains(argument) else { continue }
      let next = index + 1 < arguments.count ? arguments[index + 1] : nil
      if next == nil || next?.hasPrefix("--") == true { result.append("-") }
    }
    return result
  }
}
