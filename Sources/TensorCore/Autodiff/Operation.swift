/// Every operation that has a pullback.
///
/// The gradient test switches over this enumeration, so an operation that is recorded without a test does not
/// compile.
package enum Operation: String, CaseIterable, Sendable {
  case add, multiply
}
