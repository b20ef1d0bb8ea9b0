import DiffusionImages
import DiffusionTraining
import TensorCore
import TensorLayers

/// Two elementwise layers: enough of a network for the loop.
struct ToyNetwork: Module {
  var scale: Tensor
  var shift: Tensor
  var gain: Tensor

  init(seed: UInt64 = 1) {
    var generator = CounterGenerator(seed: seed, stream: 77)
    scale = Tensor.randomNormal([2, 3], using: &generator)
    shift = Tensor.randomNormal([3], using: &generator)
    gain = Tensor.randomNormal([3], using: &generator)
  }

  mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.parameter("layer.scale", &scale, .vector)
    try list.parameter("layer.shift", &shift, .vector)
    try list.parameter("gain", &gain, .vector)
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let hidden = (x.reshaped([x.shape[0], 2, 3]) * scale).sum(axes: [1]) + shift
    return hidden.tanh() * gain
  }
}

/// Learns a fixed function of noisy inputs.
struct ToyTask: TrainingTask {
  var exampleCount = 50
  var validationCount = 8
  /// From which example on the data is spoilt.
  var spoiltFrom = Int.max

  func loss(
    of network: ToyNetwork, on examples: [Int], validating: Bool, draws: inout CounterGenerator
  ) throws(TrainingError) -> Tensor {
    let noise = Tensor.randomNormal([examples.count, 6], deviation: 0.1, using: &draws)
    let clean = examples.flatMap { index in (0..<6).map { Float((index * 7 + $0) % 13) / 13 } }
    let x = Tensor(clean, shape: [examples.count, 6]) + noise
    let spoilt = examples.contains { $0 >= spoiltFrom } ? -1.0 : 1.0
    let target = Tensor(clean, shape: [examples.count, 6]).sliced(axis: 1, 0..<3)
    let difference = network(x) - target
    // The square root of a negative number is what spoils the loss.
    return ((difference * difference + 1e-3) * spoilt).sqrt().mean()
  }

  func samples(of network: ToyNetwork) throws(TrainingError) -> Image? {
    Image(width: 2, height: 2, filledWith: [7])
  }
}
