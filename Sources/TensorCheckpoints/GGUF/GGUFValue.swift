/// A value of a GGUF file's metadata.
public enum GGUFValue: Equatable, Sendable, CustomStringConvertible {
  /// A whole number of any width; one above `Int.max` is a ``number(_:)``.
  case integer(Int)
  /// A floating-point number.
  case number(Double)
  /// A truth value.
  case truth(Bool)
  /// A text.
  case text(String)
  /// Values of one type.
  case array([GGUFValue])

  /// The value as text; an array of more than 16 values is only counted.
  public var description: String {
    switch self {
    case .integer(let number): "\(number)"
    case .number(let number): "\(number)"
    case .truth(let truth): "\(truth)"
    case .text(let text): text
    case .array(let values) where values.count > 16: "\(values.count) values"
    case .array(let values): "[" + values.map(\.description).joined(separator: ", ") + "]"
    }
  }
}
