import ArgumentParser
import Foundation

/// `--json` prints the results as JSON in place of the lines; `--json FILE` writes them to a file, whole or not at all.
struct JSONOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Give the results as JSON: to standard output, or to a file where one is named.",
      valueName: "file"))
  var json: String?

  /// Whether standard output is for JSON alone.
  var isStandardOutput: Bool { json == "-" }

  /// `arguments` with `-` after a `--json` that no file follows.
  static func completed(_ arguments: [String]) -> [String] {
    var completed: [String] = []
    for (index, argument) in arguments.enumerated() {
      completed.append(argument)
      if argument == "--json", index + 1 == arguments.count || arguments[index + 1].hasPrefix("-") {
        if index + 1 == arguments.count || arguments[index + 1] != "-" { completed.append("-") }
      }
    }
    return completed
  }

  /// Writes `value` where it was asked for.
  func write(_ value: some Encodable) throws {
    guard let json else { return }
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let data = try encoder.encode(value) + Data("\n".utf8)
    if isStandardOutput {
      FileHandle.standardOutput.write(data)
      return
    }
    do {
      try data.write(to: URL(fileURLWithPath: json), options: .atomic)
    } catch {
      throw BenchError.cannotWrite(path: json, reason: error.localizedDescription)
    }
  }
}

/// What can go wrong in a benchmark.
enum BenchError: Error, CustomStringConvertible {
  case cannotWrite(path: String, reason: String)
  case cannotRead(path: String, reason: String)

  /// Why a file cannot be read, for a person.
  static func reason(_ error: any Error) -> String {
    error is DecodingError ? "it holds no results" : error.localizedDescription
  }

  var description: String {
    switch self {
    case .cannotRead(let path, let reason):
      "cannot compare with \(path): \(reason)"
    case .cannotWrite(let path, let reason):
      "cannot write the results to \(path): \(reason); name a file in a folder that can be written"
    }
  }
}
