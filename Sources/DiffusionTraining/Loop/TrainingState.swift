import TensorCore
import TensorLayers

/// Everything that a run changes: with the same state, configuration and data, it goes on with the same bytes.
public struct TrainingState<Network: Module>: Sendable {
  /// The network that learns.
  public internal(set) var network: Network
  /// The average of its weights.
  public internal(set) var averaging: ExponentialMovingAverage<Network>
  /// The optimizer with its moments.
  public internal(set) var optimizer: any Optimizer
  /// How many steps were made.
  public internal(set) var step = 0
  /// Where the run is in its data.
  public internal(set) var cursor: DataCursor
  /// Where noise, times and dropped labels are drawn from.
  public internal(set) var draws: CounterGenerator

  /// The start of a run.
  public init(network: Network, exampleCount: Int, configuration: TrainingConfiguration) {
    let seed = UInt64(configuration.seed)
    self.network = network.detached
    averaging = ExponentialMovingAverage(
      of: network, decay: configuration.averaging.averagingDecay)
    optimizer = configuration.optimizer.optimizer()
    cursor = DataCursor(seed: seed, exampleCount: exampleCount)
    draws = CounterGenerator(seed: seed, stream: RandomStream.draws)
  }
}

/// Which stream of the run's seed is for what.
package enum RandomStream {
  /// The noise, times and dropped labels of the steps.
  package static let draws: UInt64 = 1
  /// Those of validation, drawn anew from the start each time.
  package static let validation: UInt64 = 2
  /// The samples that are looked at.
  package static let samples: UInt64 = 3
}
