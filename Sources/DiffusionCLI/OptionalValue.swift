/// Options whose value may be left out (`--json` or `--json FILE`), which the argument parser does not know.
///
/// Before parsing, a bare one gets the value that stands here: `-` is standard output. What stands behind `--json` may be its
/// file or a verb's argument (`reproduce --json fox.png`): it is the argument where the verb takes it as such, else the file.
enum OptionalValue {
  private static let json = "--json"

  /// What the program was called with, as the parser is to see it.
  static func normalized(_ arguments: [String]) -> [String] {
    let plain = withAreas(arguments)
    guard let index = plain.firstIndex(of: json) else { return plain }
    let bare = Array(plain[...index]) + ["-"] + plain[(index + 1)...]
    let isFollowed = index + 1 < plain.count && !plain[index + 1].hasPrefix("--")
    if !isFollowed { return bare }
    let isArgument = plain[index + 1] != "-" && (try? DiffusionCommand.parseAsRoot(bare)) != nil
    return isArgument ? bare : plain
  }

  /// A bare `--masked-area` is one of 32 pixels.
  private static func withAreas(_ arguments: [String]) -> [String] {
    arguments.enumerated().flatMap { index, argument in
      let next = index + 1 < arguments.count ? arguments[index + 1] : ""
      return argument == "--masked-area" && Int(next) == nil ? [argument, "32"] : [argument]
    }
  }
}
