import ArgumentParser
import DiffusionImages
import DiffusionModels
import Foundation
import TensorCore
import TensorLayers

/// `bench scaling`: how the time of a U-Net grows, as a picture.
struct ScalingBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scaling",
    abstract: "Draws how the time of a U-Net grows with latents, batch or threads.",
    discussion: """
      Peers' lines come from a file of what peer_inference.py printed, a JSON object a line.

      Example: bench scaling --over latent --repeat 2 --out Documentation/scaling-latent.svg
      """)

  /// What is changed while the rest stays.
  enum Axis: String, ExpressibleByArgument, CaseIterable {
    case latent, batch, threads

    var values: [Int] {
      switch self {
      case .latent: [16, 24, 32, 48, 64, 96, 128]
      case .batch: Array(1...8)
      case .threads: Array(1...Backend.threads)
      }
    }

    var label: String {
      switch self {
      case .latent: "side of the latents"
      case .batch: "samples at once"
      case .threads: "threads"
      }
    }
  }

  @OptionGroup var model: ModelOptions

  @Option(help: "What is changed: \(Axis.allCases.map(\.rawValue).joined(separator: ", ")).")
  var over: Axis

  @Option(help: ArgumentHelp("Its values (default: the usual ones).", valueName: "number"))
  var value: [Int] = []

  @Option(help: "Side of the latents, where that is not changed.")
  var latent = 64

  @Option(help: "The SVG file.")
  var out: String

  @Option(
    name: .customLong("peers"),
    help: "A file with peers' times: peer_inference.py's lines, of the same work.")
  var peersFile: String?

  @OptionGroup var options: BenchOptions

  func validate() throws {
    if value.contains(where: { $0 < 1 }) {
      throw ValidationError("--value takes numbers of 1 or more.")
    }
    if model.preset == .reference {
      throw ValidationError("--preset: scaling is of the Stable Diffusion U-Nets.")
    }
  }

  func run() throws {
    let configuration = model.preset.unet
    var unset = ParameterInitializer.unset
    let network = ConditionalUNet(configuration, initializer: &unset).filled(weights: model.storage)
    let peers = try peersFile.map { try Peers(path: $0) }
    try options.run { report in
      let threads = Backend.threads
      defer { Backend.threads = threads }
      var points: [LinePlot.Point] = []
      for number in value.isEmpty ? over.values : value {
        let side = over == .latent ? number : latent
        let batch = over == .batch ? number : model.batch
        Backend.threads = over == .threads ? number : threads
        let body = turn(of: network, configuration, side: side, batch: batch)
        let result = model.computing {
          Measurement.of(
            "unet \(side)x\(side) \(model.preset.rawValue) batch \(batch), "
              + "\(Backend.threads) threads", repeat: options.repeat, operations: nil, bytes: nil,
            on: report.machine, body)
        }
        report.add(result)
        points.append(.init(x: Double(number), y: result.medianSeconds))
      }
      let own = LinePlot.Series(name: peers == nil ? "" : "this engine", points: points)
      try write(plot([own] + (peers?.series(over: over) ?? [])))
    }
  }

  private func turn(
    of network: ConditionalUNet, _ configuration: ConditionalUNetConfiguration, side: Int,
    batch: Int
  ) -> () -> Void {
    let question = UNetQuestion(configuration, side: side, batch: batch)
    return { _ = question.asked(of: network) }
  }

  /// Time over latents spans decades, so that powers of the side are straight lines.
  private func plot(_ series: [LinePlot.Series]) -> LinePlot {
    let isWide = over == .latent
    return LinePlot(
      title: "U-Net \(model.preset.rawValue), \(model.precision.rawValue): time of one evaluation",
      xLabel: over.label, yLabel: "seconds", series: series,
      xScale: isWide ? .logarithmic : .linear, yScale: isWide ? .logarithmic : .linear,
      showsPoints: true, width: 720, height: 420)
  }

  private func write(_ plot: LinePlot) throws {
    do {
      try Data(plot.svg().utf8).write(to: URL(fileURLWithPath: out), options: .atomic)
    } catch {
      throw BenchError.cannotWrite(path: out, reason: error.localizedDescription)
    }
  }
}

/// What peer_inference.py printed.
private struct Peers {
  private struct Line: Decodable {
    let engine: String
    let latent: Int
    let batch: Int
    let threads: Int
    let medianSeconds: Double
  }

  private let lines: [Line]

  init(path: String) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    do {
      let text = try String(contentsOfFile: path, encoding: .utf8)
      lines = try text.split(separator: "\n").filter { $0.hasPrefix("{") }
        .map { try decoder.decode(Line.self, from: Data($0.utf8)) }
    } catch {
      throw BenchError.cannotRead(path: path, reason: BenchError.reason(error))
    }
  }

  func series(over axis: ScalingBench.Axis) -> [LinePlot.Series] {
    Set(lines.map(\.engine)).sorted().map { engine in
      let points = lines.filter { $0.engine == engine }.map { line in
        let number =
          switch axis {
          case .latent: line.latent
          case .batch: line.batch
          case .threads: line.threads
          }
        return LinePlot.Point(x: Double(number), y: line.medianSeconds)
      }
      return LinePlot.Series(name: engine, points: points.sorted { $0.x < $1.x })
    }
  }
}
