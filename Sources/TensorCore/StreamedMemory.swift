/// Memory whose contents are there while they are used: weights that are read from a file each time.
package protocol StreamedMemory: AnyObject, Sendable {
  /// Makes the contents present, if they are not.
  func load()
  /// A use begins.
  func beginUse()
  /// A use ends; with the last the contents may go.
  func endUse()
}

extension Tensor {
  /// Calls `body`, for which the contents are present; where they are streamed they may go after it.
  package func whileUsed<Result>(_ body: () -> Result) -> Result {
    guard let memory = storage.streamed else { return body() }
    memory.beginUse()
    defer { memory.endUse() }
    return body()
  }
}
