import TensorCore

/// What is known of a picture: `y = A x` with a linear A (Song et al. 2021, appendix I.4). One that can be applied and
/// undone as far as it goes is all that controlled generation needs; see ``Measured``.
public protocol LinearMeasurement: Sendable {
  /// `A x` for a batch `x` of shape `[batch, ...]`, by operations that a tape records.
  func callAsFunction(_ x: Tensor) -> Tensor
  /// `A+ y`, the least `x` that is measured as `y`: Moore and Penrose's inverse.
  func pseudoInverse(_ y: Tensor) -> Tensor
  /// The nearest to `x` that is measured as `y`: `x + A+ (y - A x)`.
  func corrected(_ x: Tensor, to y: Tensor) -> Tensor
}

extension LinearMeasurement {
  /// `x + A+ (y - A x)`.
  public func corrected(_ x: Tensor, to y: Tensor) -> Tensor {
    let measured = self(x)
    require(
      measured.shape == y.shape, "measurement",
      "y has shape \(y.shape), but \(x.shape) is measured as \(measured.shape)")
    return x + pseudoInverse(y - measured)
  }
}

/// The elements where a mask is 1: inpainting. The others are measured as 0.
public struct MaskMeasurement: LinearMeasurement {
  /// 1 where an element is known, 0 where it is to be painted; broadcast over samples, such as `[height, width, 1]`.
  public let known: Tensor

  /// A measurement of what is known.
  public init(known: Tensor) { self.known = known }

  /// `x` where it is known, 0 elsewhere.
  public func callAsFunction(_ x: Tensor) -> Tensor { x * known }
  /// The same.
  public func pseudoInverse(_ y: Tensor) -> Tensor { y * known }
  /// `y` itself, bit for bit, where it is known.
  public func corrected(_ x: Tensor, to y: Tensor) -> Tensor {
    Tensor.selected(where: known, y, else: x)
  }
}

/// One mixture of the channels, as grey is of colours: colourisation. `[..., channels]` is measured as `[..., 1]`.
public struct ChannelMixture: LinearMeasurement {
  /// The share of each channel.
  public let weights: [Double]

  /// A mixture; the mean of three channels unless told otherwise.
  public init(weights: [Double] = [1.0 / 3, 1.0 / 3, 1.0 / 3]) {
    require(
      weights.contains { $0 != 0 }, "ChannelMixture", "weights \(weights): give one that is not 0")
    self.weights = weights
  }

  /// The weighted sum over the last axis.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    (x * Tensor(weights).converted(to: x.dtype)).sum(axes: [-1], keepingDimensions: true)
  }
  /// `y w / |w|^2`.
  public func pseudoInverse(_ y: Tensor) -> Tensor {
    let square = weights.reduce(0) { $0 + $1 * $1 }
    return y * Tensor(weights.map { $0 / square }).converted(to: y.dtype)
  }
}

/// Means of square blocks: what a smaller picture says of a larger one. `[batch, height, width, channels]`.
public struct BlockMean: LinearMeasurement {
  /// A block's height and width; the picture's are multiples of it.
  public let size: Int

  /// Means of blocks of so many pixels either way.
  public init(size: Int) { self.size = size }

  /// The blocks' means.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    require(
      x.rank == 4 && x.shape[1] % size == 0 && x.shape[2] % size == 0, "BlockMean",
      "x is [batch, height, width, channels] with sides that \(size) divides, got \(x.shape)")
    let (height, width) = (x.shape[1] / size, x.shape[2] / size)
    return x.reshaped([x.shape[0], height, size, width, size, x.shape[3]]).mean(axes: [2, 4])
  }
  /// Each block filled with its mean.
  public func pseudoInverse(_ y: Tensor) -> Tensor { y.upsampledNearest(by: size) }
}

/// Any matrix, over a sample's elements in a row: `[batch, ...]` is measured as `[batch, rows]`.
public struct MatrixMeasurement: LinearMeasurement {
  /// `[rows, elements of a sample]`.
  public let matrix: Tensor
  /// The shape of one sample.
  public let sampleShape: [Int]
  /// A+, `[elements of a sample, rows]`.
  private let inverse: Tensor

  /// A measurement by a matrix; directions whose singular value is below `threshold` times the largest count as not
  /// measured.
  ///
  /// - Throws: `LinearAlgebraError` where the singular values are not found.
  public init(
    _ matrix: Tensor, sampleShape: [Int], threshold: Double = 1e-6
  ) throws(LinearAlgebraError) {
    require(
      matrix.rank == 2 && matrix.shape[1] == sampleShape.reduce(1, *), "MatrixMeasurement",
      "a matrix \(matrix.shape) for samples \(sampleShape): it is [rows, elements of a sample]")
    self.matrix = matrix
    self.sampleShape = sampleShape
    let (u, values, v) = try matrix.singularValues()
    let numbers = values.doubles
    let least = (numbers.max() ?? 0) * threshold
    let inverted = Tensor(numbers.map { $0 > least ? 1 / $0 : 0 }).converted(to: matrix.dtype)
    inverse = (u * inverted).matmul(v).transposed
  }

  /// `x A^T`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    x.reshaped([x.shape[0], matrix.shape[1]]).linear(matrix)
  }
  /// `y A+^T`.
  public func pseudoInverse(_ y: Tensor) -> Tensor {
    y.linear(inverse).reshaped([y.shape[0]] + sampleShape)
  }
}
