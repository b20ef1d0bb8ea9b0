import TensorCore

/// Shapes as they are written on the command line, and operands of them.
enum Shape {
  /// The `count` positive lengths of `4096x320x2880`; `nil` where it is not written so.
  static func parsed(_ text: some StringProtocol, count: Int) -> [Int]? {
    let lengths = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    return lengths.count == count && lengths.allSatisfy { $0 > 0 } ? lengths : nil
  }

  /// A tensor of numbers between -1/2 and 1/2.
  static func filled(_ shape: [Int]) -> Tensor {
    let count = shape.reduce(1, *)
    let values = (0..<count).map { index -> Float in
      Float((index &* 7919) % 1009) / 1009 - 0.5
    }
    return Tensor(values, shape: shape)
  }
}
