import ArgumentParser
import DiffusionModels
import DiffusionPipelines
import DiffusionTraining
import Diffusion
import Foundation
import TensorCore

/// `diffusion likelihood`.
struct LikelihoodCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "likelihood",
    abstract: "Measure the likelihood of pictures under a model, in bits a dimension.",
    discussion: """
      By the probability-flow ODE (Song et al. 2021) with Hutchinson's estimate of the divergence, of pictures with
      uniform noise within each pixel's bin; or by the variational bound (Ho et al. 2020). Classes are used where the
      data has them and the model knows them. Picture i takes the seed + i.

      Example:
        diffusion likelihood --data mnist/ --limit 100 --json bits.json
      """)

  @Option(
    help: """
      The pictures: a folder or file of MNIST's kind (IDX, of a folder t10k before train), a manifest (.tsv or .csv, \
      with the columns file and, where there are classes, class), or a folder of PNG files.
      """)
  var data: String

  @Option(help: "A model: an exported one, a training checkpoint or run, or a diffusers folder.")
  var model: String?

  @Option(help: "ode or bound.")
  var method = LikelihoodMethod.ode

  @Option(help: "Probes of the divergence for each picture; from 2 on they give a standard error.")
  var probes = 1

  @Flag(help: "The exact divergence, one product a pixel: for very small pictures.")
  var exactTrace = false

  @Option(help: "How many pictures, from the first (default: all).")
  var limit: Int?

  @Option(help: "Pictures computed at once; changes speed and memory, not the results.")
  var batch = 20

  @Option(help: "The largest error of a step of the ODE, in nats a dimension.")
  var tolerance = 1e-4

  @Option(help: "The first picture's seed (default: a random one, which is printed).")
  var seed: UInt64?

  @OptionGroup var engine: EngineOptions
  @OptionGroup var report: JSONOption

  func validate() throws {
    for (name, value) in [("probes", probes), ("limit", limit ?? 1), ("batch", batch)]
    where value < 1 {
      throw ValidationError("--\(name) takes a number of 1 or more, not \(value).")
    }
    if !(tolerance > 0) {
      throw ValidationError("--tolerance takes a number above 0, not \(tolerance).")
    }
    if method == .bound && (exactTrace || probes != 1) {
      throw ValidationError("--probes and --exact-trace go with --method ode.")
    }
    if exactTrace && probes != 1 {
      throw ValidationError("--exact-trace needs no --probes: give one of them.")
    }
  }

  func run() throws {
    engine.apply()
    var notes: [String] = []
    let model = try (model.map(ModelLocation.path) ?? .embedded).load(notes: &notes)
    let pictures = try LikelihoodData(path: data, for: model, notes: &notes)
    for note in notes { Console.note("note: \(note)") }
    let seed = seed ?? UInt64.random(in: 0..<1 << 32)
    Console.note("seed \(seed)")
    Interruption.watch()
    let results = try measure(pictures, under: model, seed: seed)
    let summary = LikelihoodReport(
      method: method, probes: method == .ode && !exactTrace ? probes : nil,
      exactTrace: exactTrace, tolerance: method == .ode ? tolerance : nil, seed: seed,
      images: results)
    if report.json != "-" { print(summary.text) }
    try report.write(summary)
  }

  private func measure(
    _ pictures: LikelihoodData, under model: PixelModel, seed: UInt64
  ) throws -> [LikelihoodReport.Picture] {
    let count = min(limit ?? pictures.count, pictures.count)
    var results: [LikelihoodReport.Picture] = []
    defer { Console.endProgress() }
    while results.count < count {
      if Interruption.isRequested {
        throw StoppedByUser(message: "stopped after \(results.count) of \(count) pictures")
      }
      let range = results.count..<min(results.count + batch, count)
      let (images, classes) = try pictures.batch(range)
      let values = try model.likelihood(
        of: images, classes: classes, seeds: range.map { seed &+ UInt64($0) }, by: measure)
      results += zip(range, zip(classes, values)).map { index, found in
        LikelihoodReport.Picture(
          picture: pictures.identifier(at: index), class: found.0,
          bitsPerDimension: found.1.bitsPerDimension, standardError: found.1.standardError,
          evaluations: found.1.evaluations)
      }
      Console.progress(Console.bar(results.count, of: count, "pictures"))
    }
    return results
  }

  private var measure: ImageLikelihood {
    if method == .bound { return .bound }
    return .flow(
      exactTrace ? .exact : .hutchinson(.rademacher, probes: probes), tolerance: tolerance)
  }
}

/// The methods of the command line.
enum LikelihoodMethod: String, ExpressibleByArgument, CaseIterable, Encodable {
  case ode, bound
}

/// What is printed.
private struct LikelihoodReport: Encodable {
  struct Picture: Encodable {
    let picture: String
    let `class`: Int?
    let bitsPerDimension: Double
    let standardError: Double?
    let evaluations: Int
  }

  let unit = "bits per dimension"
  let method: LikelihoodMethod
  let probes: Int?
  let exactTrace: Bool
  let tolerance: Double?
  let seed: UInt64
  let count: Int
  let mean: Double
  /// Of the mean, by the scatter of the pictures.
  let standardError: Double?
  let images: [Picture]

  init(
    method: LikelihoodMethod, probes: Int?, exactTrace: Bool, tolerance: Double?, seed: UInt64,
    images: [Picture]
  ) {
    self.method = method
    self.probes = probes
    self.exactTrace = exactTrace
    self.tolerance = tolerance
    self.seed = seed
    self.images = images
    // Pictures are independent estimates of the mean, as probes are of one picture's density.
    let density = LogDensity(estimates: images.map(\.bitsPerDimension), evaluations: 0)
    count = images.count
    mean = density.value
    standardError = density.standardError
  }

  var text: String {
    let error = standardError.map { String(format: " +- %.4f", $0) } ?? ""
    return String(format: "%.4f", mean)
      + "\(error) \(unit), \(count) pictures (mean and standard error)"
  }

  enum CodingKeys: String, CodingKey {
    case unit, method, probes, tolerance, seed, count, mean, images
    case exactTrace = "exact_trace"
    case standardError = "standard_error"
  }
}

extension LikelihoodReport.Picture {
  enum CodingKeys: String, CodingKey {
    case picture, `class`, evaluations
    case bitsPerDimension = "bits_per_dimension"
    case standardError = "standard_error"
  }
}
