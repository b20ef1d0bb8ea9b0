/// The one funnel for programming errors (a wrong shape, element type or axis): ends the program with a message
/// that names the operation, what it was given and what to do instead.
///
/// `precondition` prints nothing in release builds; this does.
package func misuse(
  _ operation: String, _ message: @autoclosure () -> String,
  file: StaticString = #fileID, line: UInt = #line
) -> Never {
  fatalError("\(operation): \(message())", file: file, line: line)
}

/// Ends the program through ``misuse(_:_:file:line:)`` unless `condition` holds.
@inline(__always)
package func require(
  _ condition: Bool, _ operation: String, _ message: @autoclosure () -> String,
  file: StaticString = #fileID, line: UInt = #line
) {
  if !condition { misuse(operation, message(), file: file, line: line) }
}
