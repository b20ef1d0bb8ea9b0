import TensorCore

/// Where a new module's parameters come from: PyTorch's default initialisation, drawn in PyTorch's order from its CPU
/// generator (so that a module made after `torch.manual_seed(n)` is this one made with `seed: n`), or nothing yet.
///
/// ```swift
/// var initializer = ParameterInitializer(seed: 0)
/// let layer = Linear(inputs: 64, outputs: 32, initializer: &initializer)
/// ```
public struct ParameterInitializer: Sendable {
  /// What is drawn from next; `nil` where parameters are left unset.
  public var generator: TorchGenerator?

  /// Draws from `torch.manual_seed(seed)`.
  public init(seed: UInt64) { generator = TorchGenerator(seed: seed) }

  /// Draws from `generator`, where it stands.
  public init(generator: TorchGenerator) { self.generator = generator }

  private init() { generator = nil }

  /// Sets nothing: for a module whose every parameter is loaded right after. Its memory is not touched before.
  public static let unset = ParameterInitializer()

  /// Uniform in -`bound`..<`bound`, drawn in the file's order. `fileShape` is that of the checkpoint.
  public mutating func uniform(_ fileShape: [Int], bound: Double, _ layout: ParameterLayout)
    -> Tensor
  {
    guard var own = generator.take() else { return unset(layout.memoryShape(ofFile: fileShape)) }
    defer { generator = own }
    let drawn = Tensor.randomUniform(fileShape, low: -bound, high: bound, using: &own)
    return layout.memory(ofFile: drawn)
  }

  /// Normal with mean 0 and `deviation`.
  public mutating func normal(_ shape: [Int], deviation: Double = 1) -> Tensor {
    guard var own = generator.take() else { return unset(shape) }
    defer { generator = own }
    return .randomNormal(shape, deviation: deviation, using: &own)
  }

  /// `value` everywhere; draws nothing.
  public func constant(_ value: Double, _ shape: [Int]) -> Tensor {
    generator == nil ? unset(shape) : Tensor(repeating: value, shape: shape)
  }

  private func unset(_ shape: [Int]) -> Tensor { Tensor(uninitialized: shape, dtype: .float32) }

  /// The weight of a linear or convolution layer: `kaiming_uniform_(a = sqrt(5))`, which is uniform within
  /// 1 / sqrt(fan in) (He et al., "Delving Deep into Rectifiers", section 2.2, with the slope of a leaky ReLU).
  public mutating func weight(_ fileShape: [Int], _ layout: ParameterLayout) -> Tensor {
    let slope = 5.0.squareRoot()
    let gain = (2 / (1 + slope * slope)).squareRoot()
    let deviation = gain / Double(Self.fanIn(fileShape)).squareRoot()
    return uniform(fileShape, bound: 3.0.squareRoot() * deviation, layout)
  }

  /// The bias that goes with a weight of `fileShape`: uniform within 1 / sqrt(fan in).
  public mutating func bias(_ count: Int, weight fileShape: [Int]) -> Tensor {
    uniform([count], bound: 1 / Double(Self.fanIn(fileShape)).squareRoot(), .vector)
  }

  /// PyTorch's count of a weight's inputs: everything behind the file's first axis.
  private static func fanIn(_ fileShape: [Int]) -> Int { fileShape.dropFirst().reduce(1, *) }
}
