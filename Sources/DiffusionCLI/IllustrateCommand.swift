import ArgumentParser
import DiffusionPipelines
import TensorCore

/// `diffusion illustrate`.
struct IllustrateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "illustrate",
    abstract: "Draw an idea of the theory.",
    discussion: """
      forward and reverse show digits as PNG and a mixture of Gaussians in the plane as SVG; score and order are plots \
      (SVG) of that mixture; ddim, samplers, conditional and guidance show digits, as PNG or with words as SVG. Numbers \
      that belong to the drawing are printed.

      Example:
        diffusion illustrate samplers --out samplers.svg
      """)

  @Argument(
    help: ArgumentHelp(
      "One of \(IllustrationSubject.allCases.map(\.rawValue).joined(separator: ", ")).",
      valueName: "idea"))
  var subject: IllustrationSubject

  @Option(help: "The file to write, .svg or .png.")
  var out: String

  @Option(help: "The model that draws digits (default: the one that comes with the engine).")
  var model: String?

  @Option(help: "The seed of all that is random.")
  var seed: UInt64 = 0

  @OptionGroup var engine: EngineOptions

  func validate() throws {
    let ending = subject.endings.contains { out.lowercased().hasSuffix("." + $0) }
    if !ending {
      let endings = subject.endings.map { "." + $0 }.joined(separator: " or ")
      throw ValidationError("--out takes the name of a \(endings) file, not \(out).")
    }
  }

  func run() async throws {
    engine.apply()
    try PictureOutput.expectWritable(fileAt: out)
    for line in try await drawing().write(to: out) { print(line) }
    print(out)
  }

  private func drawing() async throws -> Illustration {
    let plots = MixtureIllustrations(seed: seed)
    switch (subject, out.lowercased().hasSuffix(".svg")) {
    case (.forward, true): return plots.forward()
    case (.reverse, true): return plots.reverse()
    case (.score, _): return plots.score()
    case (.order, _): return plots.order()
    default: break
    }
    var notes: [String] = []
    let model = try (model.map(ModelLocation.path) ?? .embedded).load(notes: &notes)
    for note in notes { Console.note("note: \(note)") }
    let pictures = PictureIllustrations(model: model, seed: seed)
    return switch subject {
    case .forward: try await pictures.forward()
    case .reverse: try await pictures.reverse()
    case .ddim: try await pictures.ddim()
    case .samplers: try await pictures.samplers()
    case .conditional: try await pictures.conditional()
    case .guidance, .score, .order: try await pictures.guidance()
    }
  }
}

extension IllustrationSubject: ExpressibleByArgument {}
