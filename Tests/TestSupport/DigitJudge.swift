import TensorCheckpoints
import TensorCore

/// An independent classifier of handwritten digits, from the shared folder's weights: right on 99.1 % of MNIST's test set.
///
/// Three 3x3 convolutions of 8, 16 and 24 channels with ReLU, batch norm, linear to 32 with ReLU, linear to 10, batch norm.
public struct DigitJudge: Sendable {
  private let weights: SafetensorsFile

  /// Reads the weights.
  public init() throws {
    let path = Shared.folder.appendingPathComponent("weights/mnist_classifier.safetensors").path
    weights = try SafetensorsFile(path: path)
  }

  /// What the judge says of pictures.
  public struct Opinion {
    /// The digit each picture shows.
    public let digits: [Int]
    /// 32 numbers a picture, before the last layer: where pictures that look alike lie together.
    public let features: [[Double]]
  }

  /// Judges 28x28 pictures of light ink on black, `[count, 28, 28, 1]` in `0...1`.
  public func callAsFunction(_ pictures: Tensor) throws -> Opinion {
    var x = (pictures - 0.1307) / 0.3081
    for layer in 1...3 {
      let weight = try weights.tensor(named: "conv\(layer).weight").permuted([2, 3, 1, 0])
      x = x.convolved(with: weight, bias: try weights.tensor(named: "conv\(layer).bias")).relu()
    }
    x = try normalized(x, "norm1").permuted([0, 3, 1, 2]).reshaped([pictures.shape[0], -1])
    let hidden = x.linear(
      try weights.tensor(named: "fc1.weight"), try weights.tensor(named: "fc1.bias")
    ).relu()
    let scores = try normalized(
      hidden.linear(
        try weights.tensor(named: "fc2.weight"), try weights.tensor(named: "fc2.bias")), "norm2")
    return Opinion(
      digits: rows(scores).map { row in row.indices.max { row[$0] < row[$1] } ?? 0 },
      features: rows(hidden))
  }

  /// Batch norm by the statistics of training, over the last axis.
  private func normalized(_ x: Tensor, _ name: String) throws -> Tensor {
    let mean = try weights.tensor(named: "\(name).running_mean")
    let variance = try weights.tensor(named: "\(name).running_var")
    return (x - mean) / (variance + 1e-5).sqrt() * (try weights.tensor(named: "\(name).weight"))
      + (try weights.tensor(named: "\(name).bias"))
  }

  private func rows(_ x: Tensor) -> [[Double]] {
    let (width, values) = (x.shape[1], x.doubles)
    return (0..<x.shape[0]).map { Array(values[$0 * width..<($0 + 1) * width]) }
  }
}

/// The kernel distance of two sets of features (Binkowski et al. 2018): the squared maximum mean discrepancy under
/// `(x . y / d + 1)^3`, by its V-statistic, which is never negative. Compare sets of the same sizes only.
public func kernelDistance(_ a: [[Double]], _ b: [[Double]]) -> Double {
  func mean(_ u: [[Double]], _ v: [[Double]]) -> Double {
    var total = 0.0
    for x in u {
      for y in v {
        let product = zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } / Double(x.count) + 1
        total += product * product * product
      }
    }
    return total / Double(u.count * v.count)
  }
  return mean(a, a) + mean(b, b) - 2 * mean(a, b)
}
