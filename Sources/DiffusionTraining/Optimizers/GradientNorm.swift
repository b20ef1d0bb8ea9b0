import CTensorKernels
import TensorCore

/// Clipping by the norm of all gradients together.
package enum GradientNorm {
  /// ‖g‖₂ over all of `gradients`, added up in float64.
  package static func global(_ gradients: [Tensor]) -> Double {
    gradients.reduce(0) { $0 + sumOfSquares($1) }.squareRoot()
  }

  /// What the gradients are to be multiplied by so that their norm is at most `most`; PyTorch's
  /// `clip_grad_norm_`: min(1, most / (norm + 1e-6)).
  package static func clipping(norm: Double, to most: Double) -> Double {
    min(1, most / (norm + 1e-6))
  }

  private static func sumOfSquares(_ tensor: Tensor) -> Double {
    let (type, size, count) = (tensor.dtype.kernelType, tensor.dtype.size, tensor.count)
    let grain = Parallel.elementGrain
    var parts = [Double](repeating: 0, count: (count + grain - 1) / grain)
    let address = tensor.readAddress
    Backend.prepare()
    parts.withUnsafeMutableBufferPointer { parts in
      Parallel.forEach(parts.count) { tile in
        let start = tile * grain
        guard let first = parts.baseAddress else { return }
        tk_sum_of_squares(
          type, min(grain, count - start), address + start * size, first + tile)
      }
    }
    withExtendedLifetime(tensor) {}
    return parts.reduce(0, +)
  }
}
