import DiffusionPipelines

/// How far pictures of `--fast` are from those of the full run, as measured on the embedded model: `Benchmarks/fast` gives the
/// same table, 64 digits a row.
enum FastFigures {
  private static let measured: [(sampler: String, steps: Int, ratio: Double)] = [
    ("ddim", 50, 39.4), ("ddim", 20, 34.1), ("dpm++2m", 50, 38.0), ("dpm++2m", 20, 31.8),
    ("ddpm", 50, 28.4), ("ddpm", 20, 22.2),
  ]

  /// What `--fast` says of itself.
  ///
  /// - Parameter model: the path of a model; `nil` for the embedded one.
  static func note(model: String?, _ request: ImageRequest) -> String {
    let (sampler, steps) = (request.sampler, request.steps)
    guard model == nil else {
      return "--fast: its distance to the full run was not measured on this model; "
        + "Benchmarks/fast --model measures it"
    }
    let rows = measured.filter { $0.sampler == sampler }
    guard let row = rows.min(by: { abs($0.steps - steps) < abs($1.steps - steps) }) else {
      return "--fast: its distance to the full run was not measured with \(sampler); "
        + "Benchmarks/fast --sampler \(sampler) measures it"
    }
    let text =
      "--fast: \(row.ratio) dB peak signal-to-noise ratio to the full run, as measured with "
      + "\(sampler) over \(row.steps) steps (Benchmarks/fast)"
    return steps == row.steps
      ? text : text + "; over \(steps) it was not measured, and fewer steps differ more"
  }
}
