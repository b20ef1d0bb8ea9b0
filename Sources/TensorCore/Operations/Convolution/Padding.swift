/// Rows and columns of zeros put around a picture, in pixels; each side its own.
public struct Padding: Sendable, Equatable, Hashable, Codable {
  /// Rows before the first.
  public var top: Int
  /// Rows after the last.
  public var bottom: Int
  /// Columns before the first.
  public var left: Int
  /// Columns after the last.
  public var right: Int

  /// Each side its own; what is not given is 0.
  public init(top: Int = 0, bottom: Int = 0, left: Int = 0, right: Int = 0) {
    self.top = top
    self.bottom = bottom
    self.left = left
    self.right = right
  }

  /// The same on all four sides.
  public init(_ all: Int) { self.init(top: all, bottom: all, left: all, right: all) }

  /// None.
  public static let none = Padding()
}
