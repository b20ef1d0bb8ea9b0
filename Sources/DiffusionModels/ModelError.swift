import Foundation
import TensorCheckpoints

/// What can be wrong with a model's files.
public enum ModelError: Error, Sendable, Equatable {
  /// A file that cannot be read or written.
  case file(path: String, problem: String)
  /// A configuration that is no JSON object, or a value in it that this engine does not know or that does not go with the
  /// others. `path` is empty where it came from no file, `key` where the file as a whole is meant.
  case configuration(path: String = "", key: String, problem: String)
  /// Parameters that cannot be read or written, or are not those of the configuration.
  case checkpoint(CheckpointError)

  /// The same, with the file it is about.
  func inFile(_ path: String) -> ModelError {
    guard case .configuration(_, let key, let problem) = self else { return self }
    return .configuration(path: path, key: key, problem: problem)
  }
}

extension ModelError: LocalizedError, CustomStringConvertible {
  /// One line: what was expected, what was found, and what to do.
  public var description: String {
    switch self {
    case .file(let path, let problem): "\(path): \(problem)"
    case .configuration(let path, let key, let problem):
      [path.isEmpty ? "model configuration" : path, key, problem].filter { !$0.isEmpty }
        .joined(separator: ": ")
    case .checkpoint(let error): error.description
    }
  }

  /// ``description``.
  public var errorDescription: String? { description }
}
