import ArgumentParser
import DiffusionModels
import Foundation
import TensorCore
import TensorLayers

/// What the verbs that time a model's part take.
struct ModelOptions: ParsableArguments {
  @Option(
    help: "Which model: \(ModelPreset.allCases.map(\.rawValue).joined(separator: ", ")).")
  var preset = ModelPreset.sd15

  @Option(help: "Samples at once.")
  var batch = 1

  @Option(help: "What weights are stored in: float32, float16, bfloat16, q8_0.")
  var weights = DType.float32

  @Option(
    help: "What is multiplied in: f32, bf16 where the processor can, q8 (bf16 by 8-bit weights).")
  var precision = Precision.f32

  /// What products are computed in.
  enum Precision: String, ExpressibleByArgument, CaseIterable { case f32, bf16, q8 }

  @OptionGroup var trace: TraceOptions

  @Flag(
    help:
      "Also the error against an evaluation of the same network in float64 (three times the memory)."
  )
  var accuracy = false

  @Flag(help: "Also with every smaller number of threads.")
  var scaling = false

  func validate() throws {
    if batch < 1 { throw ValidationError("--batch takes a number of 1 or more, not \(batch).") }
    if precision != .f32 && !Backend.hasBFloat16 {
      throw ValidationError(
        "--precision \(precision): this processor has no bfloat16 instructions.")
    }
    if weights == .float64 { throw ValidationError("--weights takes no float64.") }
  }

  /// Ends in an error where the preset has no such part.
  func requireLatents() throws {
    if preset == .reference {
      throw ValidationError("--preset reference has a U-Net only; see `bench unet`.")
    }
  }

  /// What weights are stored in: bfloat16 where that is multiplied in.
  var storage: DType { precision == .f32 ? weights : precision == .bf16 ? .bfloat16 : .q8_0 }

  /// Has the products of `body` in what `--precision` says.
  func computing<Result>(_ body: () throws -> Result) rethrows -> Result {
    try Backend.$products.withValue(precision == .f32 ? .float32 : .bfloat16, operation: body)
  }

  /// Times the answer of a network with random parameters and, where asked to, shows where its time goes.
  ///
  /// - Parameters:
  ///   - module: a network whose parameters are not set.
  ///   - answer: what it answers to inputs of a type.
  func time<Network: Module>(
    _ name: String, _ module: Network, _ options: BenchOptions,
    _ answer: (Network, DType) -> Tensor
  ) throws {
    let network = module.filled(weights: storage)
    try options.run { report in
      try computing {
        func body() { _ = answer(network, .float32) }
        let records = trace.records(of: body)
        var result = Measurement.of(
          "\(name) \(preset.rawValue) batch \(batch) \(precision.rawValue)",
          repeat: options.repeat, operations: OperationTable(records).operations, bytes: nil,
          on: report.machine, body)
        if accuracy {
          let found = answer(network, .float32).doubles
          let exact = answer(module.filled().converted(to: .float64), .float64).doubles
          (result.rmsError, result.largestError) = Self.errors(of: found, against: exact)
        }
        report.add(result)
        if scaling { scale(result, options, &report, body) }
        try trace.show(records, title: result.name, in: report)
      }
    }
  }

  /// How far an answer is off, in units of the exact answer's root mean square.
  private static func errors(
    of found: [Double], against exact: [Double]
  ) -> (rms: Double, largest: Double) {
    func size(_ values: [Double]) -> Double {
      (values.reduce(0) { $0 + $1 * $1 } / Double(max(1, values.count))).squareRoot()
    }
    let errors = zip(found, exact).map { $0 - $1 }
    let unit = size(exact)
    return (size(errors) / unit, (errors.map { abs($0) }.max() ?? 0) / unit)
  }

  /// The same on fewer threads.
  private func scale(
    _ whole: Measurement, _ options: BenchOptions, _ report: inout Report, _ body: () -> Void
  ) {
    let all = Backend.threads
    for threads in stride(from: all - 1, to: 0, by: -1) {
      Backend.threads = threads
      let result = Measurement.of(
        "\(whole.name), \(threads) of \(all) threads", repeat: options.repeat,
        operations: whole.gflops.map { $0 * whole.medianSeconds * 1e9 }, bytes: nil,
        on: report.machine, body)
      report.add(result)
      report.say(
        String(
          format: "  %d threads take %.2f of the time of %d", all,
          whole.medianSeconds / result.medianSeconds, threads))
    }
    Backend.threads = all
  }
}

extension DType: ExpressibleByArgument {}

/// `bench unet`: one answer of the U-Net.
struct UNetBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unet", abstract: "Times a Stable Diffusion U-Net with random weights.",
    discussion: "Example: bench unet --preset sd15 --latent 64 --ops")

  @OptionGroup var model: ModelOptions

  @Option(help: "Side of the latents, or of the reference's pictures (default: 64; 32).")
  var latent: Int?

  @OptionGroup var options: BenchOptions

  func run() throws {
    if model.preset == .reference { return try runReference() }
    let latent = latent ?? 64
    let configuration = model.preset.unet
    var unset = ParameterInitializer.unset
    let network = ConditionalUNet(configuration, initializer: &unset)
    let question = UNetQuestion(configuration, side: latent, batch: model.batch)
    try model.time("unet \(latent)x\(latent)", network, options) { network, dtype in
      question.asked(of: network, in: dtype)
    }
  }
}

/// What a conditional U-Net is asked, of random numbers.
struct UNetQuestion {
  private let x: Tensor
  private let text: Tensor
  private var extras = ConditionalUNet.Extras()

  init(_ configuration: ConditionalUNetConfiguration, side: Int, batch: Int) {
    var draws = CounterGenerator(seed: 1)
    x = Tensor.randomNormal([batch, side, side, configuration.inChannels], using: &draws)
    text = Tensor.randomNormal([batch, 77, configuration.crossAttentionWidths[0]], using: &draws)
    if configuration.additionalEmbedding != nil {
      extras.text = Tensor.randomNormal([batch, 1280], using: &draws)
      extras.sizes = Array(repeating: [1024, 1024, 0, 0, 1024, 1024], count: batch)
    }
  }

  func asked(of network: ConditionalUNet, in dtype: DType = .float32) -> Tensor {
    var extras = extras
    extras.text = extras.text?.converted(to: dtype)
    return network(
      x.converted(to: dtype), timesteps: Array(repeating: 500, count: x.shape[0]),
      text: text.converted(to: dtype), extras: extras)
  }
}

extension UNetBench {
  /// The small U-Net on pixels.
  private func runReference() throws {
    let (configuration, side) = (UNetConfiguration.reference, latent ?? 32)
    let network = try UNet(configuration, seed: 0)
    var draws = CounterGenerator(seed: 1)
    let x = Tensor.randomNormal([model.batch, side, side, configuration.inChannels], using: &draws)
    let times = Array(repeating: 500.0, count: model.batch)
    try model.time("unet \(side)x\(side)", network, options) { network, dtype in
      network(x.converted(to: dtype), timesteps: times, mode: .inference)
    }
  }
}

/// `bench vae`: an autoencoder's decoder.
struct AutoencoderBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vae", abstract: "Times a Stable Diffusion autoencoder with random weights.",
    discussion: "Example: bench vae --latent 64 --ops")

  @OptionGroup var model: ModelOptions

  @Option(help: "Side of the latents.")
  var latent = 64

  @Flag(help: "Encodes pictures in place of decoding latents.")
  var encode = false

  @OptionGroup var options: BenchOptions

  func run() throws {
    try model.requireLatents()
    let configuration = model.preset.autoencoder
    var unset = ParameterInitializer.unset
    let network = KLAutoencoder(configuration, initializer: &unset)
    var draws = CounterGenerator(seed: 1)
    let side = encode ? latent * configuration.reduction : latent
    let channels = encode ? configuration.inChannels : configuration.latentChannels
    let x = Tensor.randomNormal([model.batch, side, side, channels], using: &draws)
    let name = (encode ? "vae encode " : "vae decode ") + "\(side)x\(side)"
    try model.time(name, network, options) { network, dtype in
      let x = x.converted(to: dtype)
      return encode ? network.encode(x).mean : network.decode(x)
    }
  }
}

/// `bench text`: a text encoder.
struct TextBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "text", abstract: "Times a CLIP text encoder with random weights.",
    discussion: "Example: bench text --preset sd15 --ops")

  @OptionGroup var model: ModelOptions
  @OptionGroup var options: BenchOptions

  func run() throws {
    try model.requireLatents()
    var unset = ParameterInitializer.unset
    let network = CLIPTextEncoder(model.preset.text, hasProjection: false, initializer: &unset)
    var draws = CounterGenerator(seed: 1)
    let tokens = (0..<model.batch).map { _ in draws.integers(below: 49407, count: 77) }
    try model.time("text 77 tokens", network, options) { network, _ in
      network.states(network(tokens), skipping: 0, normed: true)
    }
  }
}
