import Foundation
import TensorCore

/// The levels that Sabour et al. 2024 ("Align Your Steps", arXiv:2404.14507) found for ten steps of a model, as ratios of
/// noise to signal; other numbers of steps interpolate their logarithms.
public enum AlignYourSteps: String, Sendable, Codable, CaseIterable {
  /// Stable Diffusion 1.5.
  case stableDiffusion15 = "sd15"
  /// Stable Diffusion XL.
  case stableDiffusionXL = "sdxl"

  /// The published levels, falling.
  public var table: [Double] {
    switch self {
    case .stableDiffusion15:
      [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029]
    case .stableDiffusionXL:
      [14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029]
    }
  }

  /// `count` falling levels: the table's own eleven, or a log-linear interpolation over it (stable-diffusion-webui).
  public func sigmas(_ count: Int) -> [Double] {
    require(count >= 1, "sigmas", "\(count) levels: ask for 1 or more")
    let table = table
    return (0..<count).map { index in
      if count == 1 { return table[0] }
      let place = Double(index) * Double(table.count - 1) / Double(count - 1)
      let low = min(Int(place), table.count - 2)
      let share = place - Double(low)
      if share == 0 { return table[low] }
      return table[low] * pow(table[low + 1] / table[low], share)
    }
  }
}
