import TensorCore

/// What differs between training and inference, handed to every block that cares.
public struct ExecutionMode: Sendable {
  /// What dropout draws from; `nil` in inference, where nothing is dropped.
  public var dropout: DropoutKey?
  /// Whether blocks keep only their inputs for the backward pass and compute the rest a second time.
  public var checkpointsActivations: Bool

  /// A mode; see its properties.
  public init(dropout: DropoutKey?, checkpointsActivations: Bool) {
    self.dropout = dropout
    self.checkpointsActivations = checkpointsActivations
  }

  /// Nothing is dropped and nothing recomputed.
  public static let inference = ExecutionMode(dropout: nil, checkpointsActivations: false)

  /// Training with `dropout`'s key.
  public static func training(
    dropout: DropoutKey, checkpointsActivations: Bool = false
  ) -> ExecutionMode {
    ExecutionMode(dropout: dropout, checkpointsActivations: checkpointsActivations)
  }

  /// The mode of a part of the block: its own key.
  public func part(_ index: Int) -> ExecutionMode {
    ExecutionMode(
      dropout: dropout?.part(index), checkpointsActivations: checkpointsActivations)
  }

  /// The same without recomputation: for what runs inside a checkpoint.
  var insideCheckpoint: ExecutionMode {
    ExecutionMode(dropout: dropout, checkpointsActivations: false)
  }
}

extension Module {
  /// `body` of this module, under a checkpoint where `mode` asks for it.
  public func run(
    _ inputs: [Tensor], _ mode: ExecutionMode,
    _ body: @escaping @Sendable (Self, [Tensor], ExecutionMode) -> Tensor
  ) -> Tensor {
    guard mode.checkpointsActivations else { return body(self, inputs, mode) }
    let inner = mode.insideCheckpoint
    return checkpointed(inputs) { module, inputs in body(module, inputs, inner) }
  }
}
