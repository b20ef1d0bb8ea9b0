/// Why bytes are not in a format: what was expected and what was found. The reader that knows the file makes a
/// ``CheckpointError`` of it.
struct FormatFault: Error, Equatable {
  let reason: String
  /// The global that a pickle asked for and that is not on the list.
  let refused: String?

  init(_ reason: String) {
    self.reason = reason
    refused = nil
  }

  init(refusing global: String) {
    reason = "the global \(global)"
    refused = global
  }

  /// The fault of the file at `path`, which should have been a `format`.
  func error(path: String, format: String) -> CheckpointError {
    if let refused { return .refused(path: path, global: refused) }
    return .malformed(path: path, reason: "not a whole \(format): \(reason)")
  }
}
