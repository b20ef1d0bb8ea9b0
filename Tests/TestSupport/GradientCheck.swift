import TensorCore
import Testing

/// A function of float64 tensors whose gradient is compared with central differences.
public struct GradientCheck: Sendable {
  /// What to call it in a failure.
  public let name: String
  /// Where the gradient is taken.
  public let inputs: [Tensor]
  /// The function; its result may have any shape.
  public let function: @Sendable ([Tensor]) -> Tensor

  /// Half the distance between the two points of a difference.
  public let step: Double

  /// A check of `function` at `inputs`.
  public init(
    _ name: String, _ inputs: [Tensor], step: Double = 1e-5,
    _ function: @escaping @Sendable ([Tensor]) -> Tensor
  ) {
    self.name = name
    self.step = step
    self.inputs = inputs
    self.function = function
  }

  /// Compares the pullback of a fixed random direction with central differences, for every element of every input.
  public func run(tolerance: Double = 1e-6, sourceLocation: SourceLocation = #_sourceLocation) {
    let tape = Tape()
    let variables = inputs.map { tape.watch($0) }
    let output = function(variables)
    let seed = Sample.uniform(output.shape, seed: 99)
    let gradients = tape.gradients(of: output, seed: seed, withRespectTo: variables)
    #expect(output.origin != nil, "\(name) recorded nothing", sourceLocation: sourceLocation)
    for (index, gradient) in gradients.enumerated() {
      let expected = differences(input: index, seed: seed)
      let scale = max(1, expected.map(abs).max() ?? 0)
      let worst = zip(gradient.doubles, expected).map { abs($0 - $1) }.max() ?? 0
      #expect(
        worst <= tolerance * scale,
        "\(name), operand \(index): off by \(worst) where the largest is \(scale)",
        sourceLocation: sourceLocation)
    }
  }

  private func differences(input index: Int, seed: Tensor) -> [Double] {
    let values = inputs[index].doubles
    func directional(_ element: Int, _ shift: Double) -> Double {
      var moved = values
      moved[element] += shift
      var arguments = inputs
      arguments[index] = Tensor(moved, shape: inputs[index].shape)
      return zip(function(arguments).doubles, seed.doubles).map { $0 * $1 }.reduce(0, +)
    }
    return values.indices.map { element in
      (directional(element, step) - directional(element, -step)) / (2 * step)
    }
  }
}

/// Numbers for tests: the same in every run.
public enum Sample {
  /// Values spread over `low...high`, in float64.
  public static func uniform(
    _ shape: [Int], seed: UInt64 = 1, low: Double = -1, high: Double = 1
  ) -> Tensor {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678
    let values = (0..<shape.reduce(1, *)).map { _ -> Double in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return low + (high - low) * Double(state >> 11) * 0x1p-53
    }
    return Tensor(values, shape: shape)
  }
}
