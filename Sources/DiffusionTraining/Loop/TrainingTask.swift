import DiffusionImages
import TensorCore
import TensorLayers

/// What a network is to learn: the data, the loss, and how its progress is looked at. ``Trainer`` does the rest.
public protocol TrainingTask: Sendable {
  /// The network.
  associatedtype Network: Module

  /// How many examples there are to learn from.
  var exampleCount: Int { get }
  /// How many are held back to be validated with.
  var validationCount: Int { get }

  /// The mean loss over some examples, a scalar: recorded where the network is.
  ///
  /// - Parameters:
  ///   - examples: indices below ``exampleCount``, or below ``validationCount`` where `validating`.
  ///   - draws: where everything random comes from.
  func loss(
    of network: Network, on examples: [Int], validating: Bool, draws: inout CounterGenerator
  ) throws(TrainingError) -> Tensor

  /// A picture of what the network can do; `nil` for a task without pictures.
  func samples(of network: Network) throws(TrainingError) -> Image?
}
