import Diffusion
import DiffusionImages
import DiffusionModels
import TensorCore

/// Illustrations drawn with a pixel model, the same for the same seed.
public struct PictureIllustrations: Sendable {
  /// The model; one that knows classes.
  public let model: PixelModel
  /// The first picture's seed.
  public let seed: UInt64

  /// Illustrations with a model.
  public init(model: PixelModel, seed: UInt64 = 0) {
    self.model = model
    self.seed = seed
  }

  private var pipeline: ImagePipeline { ImagePipeline(model: model) }

  /// The classes that are drawn: at most `count`, or as many pictures of none.
  private func classes(_ count: Int) -> [Int?] {
    model.classCount == 0
      ? Array(repeating: nil, count: count) : (0..<count).map { $0 % model.classCount }
  }

  /// The times that strips show, to the last; whole ones of a chain.
  private var shown: [Double] {
    let last = model.forward.times.upperBound
    return [0.1, 0.2, 0.3, 0.4, 0.55, 0.7, 0.85, 1].map {
      model.chain == nil ? $0 * last : ($0 * last).rounded(.down)
    }
  }

  private static func title(_ time: Double) -> String {
    "t = " + (time == time.rounded() ? "\(Int(time))" : "\((time * 100).rounded() / 100)")
  }

  /// `q(x_t | x_0)` of pictures: the same noise, more and more of it, until nothing of the data is left.
  public func forward() async throws(PipelineError) -> Illustration {
    let data = try await pipeline.pictures(
      ImageRequest(classes: classes(4), sampler: "ddim", seed: seed))
    var source = IntervalNoise(seeds: (0..<4).map { seed &+ UInt64($0) })
    let noise = source.initial(data.shape, dtype: data.dtype)
    var strips = [PixelModel.images(of: data)]
    var notes = [Self.moments(of: data, "data")]
    for time in shown {
      let level = model.forward.level(at: time)
      let noisy = Tensor.linearCombination([(level.signal, data), (level.noise, noise)])
      strips.append(PixelModel.images(of: noisy))
      notes.append(Self.moments(of: noisy, Self.title(time)))
    }
    return sheet(
      "The forward process", ["data"] + shown.map(Self.title), strips: strips, notes: notes)
  }

  /// The ancestral chain back: above what the sample is, below what the model takes the data to be.
  public func reverse() async throws(PipelineError) -> Illustration {
    let request = ImageRequest(classes: classes(3), seed: seed)
    let kept = Set([0, 10, 20, 30, 36, 42, 46, 49])
    var (samples, estimates, titles): ([[Image]], [[Image]], [String]) = ([], [], [])
    var steps = try pipeline.generate(request).makeAsyncIterator()
    while let step = try await steps.next(isolation: nil) {
      guard kept.contains(step.step) else { continue }
      samples.append(PixelModel.images(of: step.x))
      estimates.append(PixelModel.images(of: step.denoised))
      titles.append("step \(step.step + 1)")
    }
    let rows = (0..<3).flatMap { picture in
      [("sample", samples.map { $0[picture] }), ("estimate", estimates.map { $0[picture] })]
    }
    return Illustration(
      drawing: .pictures(
        PictureSheet(title: "The reverse process, 50 steps", columns: titles, rows: rows)),
      notes: [])
  }

  /// DDPM needs many steps; DDIM gives pictures with few, and the same one for any number of them.
  public func ddim() async throws(PipelineError) -> Illustration {
    try await grid(
      "DDPM beside DDIM at few steps", ["ddpm", "ddim"], steps: [5, 10, 20, 50], pictures: 2)
  }

  /// Plain samplers settle on one picture as steps grow; ancestral ones keep changing it.
  ///
  /// Over Karras' grid from a ratio of 80: the model's own schedule begins at 20,000, where two evaluations a step of
  /// second-order solvers lie too far apart.
  public func samplers() async throws(PipelineError) -> Illustration {
    let wanted = [
      "euler", "heun", "dpm++2m", "unipc", "lms", "euler-a", "dpm2-a", "dpm++sde", "ddpm",
    ]
    let known = wanted.filter { SolverCatalog.entry(named: $0) != nil }
    return try await grid(
      "Samplers against steps: one picture, the same noise", known,
      steps: [5, 8, 12, 20, 35, 50], pictures: 1, schedule: "karras",
      scheduleOptions: ScheduleOptions(sigmaMax: 80))
  }

  /// The same noise, with a class and without.
  public func conditional() async throws(PipelineError) -> Illustration {
    let count = 10
    func row(_ classes: [Int?]) async throws(PipelineError) -> [Image] {
      try await images(ImageRequest(classes: classes, seed: seed))
    }
    let rows = [
      ("unconditional", try await row(Array(repeating: nil, count: count))),
      ("conditional", try await row(classes(count))),
    ]
    let titles = classes(count).map { $0.map { "class \($0)" } ?? "none" }
    return Illustration(
      drawing: .pictures(
        PictureSheet(title: "With a class and without", columns: titles, rows: rows)),
      notes: [])
  }

  /// `D_u + scale (D_c - D_u)` with a growing scale: 0 is unconditional, 1 conditional.
  public func guidance() async throws(PipelineError) -> Illustration {
    let scales = [0.0, 0.5, 1, 1.5, 2, 3, 5]
    var columns: [[Image]] = []
    for scale in scales {
      columns.append(
        try await images(ImageRequest(classes: classes(6), guidance: scale, seed: seed)))
    }
    return sheet(
      "Classifier-free guidance", scales.map { "scale \($0)" }, strips: columns, notes: [])
  }
}

// MARK: - Parts

extension PictureIllustrations {
  private func images(_ request: ImageRequest) async throws(PipelineError) -> [Image] {
    PixelModel.images(of: try await pipeline.pictures(request))
  }

  /// Columns of pictures, one a strip, turned into rows.
  private func sheet(
    _ title: String, _ columns: [String], strips: [[Image]], notes: [String]
  ) -> Illustration {
    let rows = strips[0].indices.map { row in ("", strips.map { $0[row] }) }
    return Illustration(
      drawing: .pictures(PictureSheet(title: title, columns: columns, rows: rows)), notes: notes)
  }

  /// A row for each sampler and picture, a column for each number of steps.
  private func grid(
    _ title: String, _ samplers: [String], steps: [Int], pictures: Int, schedule: String? = nil,
    scheduleOptions: ScheduleOptions = ScheduleOptions()
  ) async throws(PipelineError) -> Illustration {
    let subjects = classes(8).suffix(pictures)
    var rows: [(String, [Image])] = []
    for sampler in samplers {
      var columns: [[Image]] = []
      for count in steps {
        columns.append(
          try await images(
            ImageRequest(
              classes: Array(subjects), steps: count, sampler: sampler, schedule: schedule,
              scheduleOptions: scheduleOptions, seed: seed)))
      }
      rows += (0..<pictures).map { picture in (sampler, columns.map { $0[picture] }) }
    }
    return Illustration(
      drawing: .pictures(
        PictureSheet(title: title, columns: steps.map { "\($0) steps" }, rows: rows)),
      notes: [])
  }

  /// Mean and variance over all pixels.
  private static func moments(of x: Tensor, _ name: String) -> String {
    let values = x.doubles
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    return "\(name): mean \(mean.rounded(to: 3)), variance \(variance.rounded(to: 3)) over pixels"
  }
}

extension Double {
  /// The number with so many digits behind the point.
  func rounded(to digits: Int) -> Double {
    var factor = 1.0
    for _ in 0..<digits { factor *= 10 }
    return (self * factor).rounded() / factor
  }
}
