import Foundation
import TensorCore

/// How ancestral sampling splits a leg (k-diffusion's `get_ancestral_step`): a deterministic step to a level below the
/// leg's end, `down`, and noise from there back up to it.
///
/// With `r = noise / signal`, `down`'s ratio is `sqrt(r'^2 - up^2)` where `up^2 = eta^2 r'^2 (1 - (r'/r)^2)`, the posterior's
/// variance; written `r' sqrt(1 - eta^2 + eta^2 (r'/r)^2)`, which does not cancel. On rectified flow, where the noise's
/// share is what the model was trained with, `down` has the noise `s' (1 + eta (s'/s - 1))`, as ComfyUI has it.
struct AncestralSplit {
  /// Where the deterministic step goes.
  let down: NoiseLevel
  /// The way up from there.
  let up: Transition

  init(_ interval: Interval, eta: Double) {
    let (from, to) = (interval.from, interval.to)
    if eta == 0 || to.noise == 0 {
      down = to
    } else if from.isRectified, to.isRectified, from.signal != to.signal {
      let noise = to.noise * (1 + eta * (to.noise / from.noise - 1))
      down = NoiseLevel(signal: 1 - noise, noise: noise)
    } else {
      let q = to.ratio / from.ratio
      down = NoiseLevel(
        signal: to.signal, noise: to.noise * (1 - eta * eta + eta * eta * q * q).squareRoot())
    }
    up = Transition(from: down, to: to)
  }

  /// What the noise is multiplied by.
  var deviation: Double { up.variance.squareRoot() }
}

extension Estimate {
  /// The terms of the one first-order update `(s'/s) x + (a' - a s'/s) D`, times `scale`; with ``direction`` the noise is
  /// read off that.
  func firstOrder(
    _ x: Tensor, from: NoiseLevel, to: NoiseLevel, scale: Double = 1
  ) -> [(factor: Double, tensor: Tensor)] {
    let kept = to.noise / from.noise
    if let direction {
      return [
        (scale * kept, x), (scale * to.signal, denoised),
        (-scale * kept * from.signal, direction),
      ]
    }
    return [(scale * kept, x), (scale * (to.signal - kept * from.signal), denoised)]
  }
}

/// Terms without those that add nothing.
func combined(_ terms: [(factor: Double, tensor: Tensor)]) -> Tensor {
  let kept = terms.filter { $0.factor != 0 }
  return Tensor.linearCombination(kept.isEmpty ? [terms[0]] : kept)
}
