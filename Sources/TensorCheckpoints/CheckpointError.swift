/// What can go wrong with a checkpoint file. Each case names the file, what was expected and what was found.
public enum CheckpointError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file could not be opened, read or written; `reason` is the system's.
  case file(path: String, operation: String, reason: String)
  /// The file is not in its format, or is cut off, or contradicts itself.
  case malformed(path: String, reason: String)
  /// The pickle in the file asks for something that is not data. Nothing of it was run.
  case refused(path: String, global: String)
  /// The file has no tensor of this name.
  case missing(path: String, name: String)
  /// The tensor is there, but its elements are of a type that cannot be read as was asked.
  case elementType(path: String, name: String, found: String, expected: String)
  /// An integer does not fit into `Int`.
  case integerRange(path: String, name: String)
  /// What was to be written has a fault; nothing was written.
  case unwritable(path: String, reason: String)
  /// The names or shapes are not those that were expected.
  case mismatch(path: String, report: LoadReport)

  /// One line; several where a report lists tensors.
  public var description: String {
    switch self {
    case .file(let path, let operation, let reason):
      "\(path): cannot \(operation): \(reason)"
    case .malformed(let path, let reason):
      "\(path): \(reason)"
    case .refused(let path, let global):
      "\(path): refused: its pickle asks for \(quoted(global)), which is no tensor data; nothing of it "
        + "was run. If you trust the file, load it in PyTorch and save its state_dict alone"
    case .missing(let path, let name):
      "\(path): expected a tensor named \(quoted(name)), found none; "
        + "`diffusion inspect` lists what is there"
    case .elementType(let path, let name, let found, let expected):
      "\(path): tensor \(quoted(name)) holds \(found), expected \(expected)"
    case .integerRange(let path, let name):
      "\(path): tensor \(quoted(name)) holds an integer above \(Int.max)"
    case .unwritable(let path, let reason):
      "\(path): not written: \(reason)"
    case .mismatch(let path, let report):
      "\(path): \(report)"
    }
  }
}

/// A name from a file in quotation marks, with what a terminal would act on escaped.
package func quoted(_ name: String) -> String {
  "\"" + name.unicodeScalars.map { $0.escaped(asASCII: false) }.joined() + "\""
}
