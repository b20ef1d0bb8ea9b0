import Diffusion
import TensorCore

/// What the scheduler tests of huggingface/diffusers (tests/schedulers/test_schedulers.py) have in common.
enum ReferenceLoop {
  /// `dummy_sample_deter`: arange(768) / 768 as (3, 8, 8, 4) permuted to (4, 3, 8, 8), here channels last; `flipped` is
  /// `dummy_noise_deter`, which counts down.
  static func sample(flipped: Bool = false) -> Tensor {
    let numbers = (0..<768).map { Float(flipped ? 767 - $0 : $0) / 768 }
    return Tensor(numbers, shape: [3, 8, 8, 4]).permuted([3, 1, 2, 0])
  }

  /// `dummy_model`: x t / (t + 1).
  static func model(_ x: Tensor, _ time: Double) -> Tensor { x * (time / (time + 1)) }

  /// The denoiser that the model makes with a process.
  static func denoiser<P: Process>(
    _ process: P, _ parameterization: Parameterization = .epsilon, batch: Int = 4
  ) -> Conditioned<NetworkDenoiser<FunctionNetwork, P>> {
    process.denoiser(parameterization, batch: batch, model)
  }
}

/// One torch generator for a whole batch, as diffusers draws when it is given one.
struct BatchNoise: NoiseSource {
  var generator = TorchGenerator(seed: 0)

  mutating func initial(_ shape: [Int], dtype: DType) -> Tensor { draw(shape, dtype) }

  mutating func noise(
    _ shape: [Int], dtype: DType, over interval: Interval, draw: Int
  ) -> Tensor {
    self.draw(shape, dtype)
  }

  private mutating func draw(_ shape: [Int], _ dtype: DType) -> Tensor {
    Tensor.randomNormal([shape[0], shape[3], shape[1], shape[2]], dtype: dtype, using: &generator)
      .permuted([0, 2, 3, 1])
  }
}
