import Foundation

/// What can be wrong with a tokenizer's files.
public enum TokenizerError: Error, Sendable, Equatable {
  /// Nothing is at the path, or nothing that is known as a vocabulary, or it cannot be read.
  case file(path: String, problem: String)
  /// A file that does not hold what its format says: where, and what was expected and found.
  case malformed(path: String, place: String, problem: String)
}

extension TokenizerError: LocalizedError, CustomStringConvertible {
  /// One line: what was expected, what was found, and what to do.
  public var description: String {
    switch self {
    case .file(let path, let problem): "\(path): \(problem)"
    case .malformed(let path, let place, let problem): "\(path): \(place): \(problem)"
    }
  }

  /// ``description``.
  public var errorDescription: String? { description }
}
