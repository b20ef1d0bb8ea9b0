import ArgumentParser
import TensorCore

/// `bench conv`: 3x3 convolutions.
struct ConvolutionBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "conv", abstract: "Times 3x3 convolutions of stride 1 and padding 1.",
    discussion: "Example: bench conv --shape 1x64x64x320:320 --gradients")

  @Option(
    help: ArgumentHelp(
      "A convolution to time, once or more: batch, height, width, channels in : out.",
      valueName: "BxHxWxC:O"))
  var shape: [String] = [
    "1x64x64x320:320", "1x32x32x640:640", "1x16x16x1280:1280", "1x8x8x1280:1280",
    "1x64x64x512:512", "32x32x32x64:64", "32x16x16x128:128", "32x8x8x128:128",
    "64x28x28x32:32", "64x14x14x64:64",
  ]

  @Option(
    help: "How to compute it: \(ConvolutionRoute.allCases.map(\.rawValue).joined(separator: ", "))."
  )
  var route = ConvolutionRoute.automatic

  @Flag(help: "Time the gradients of the input and the weights too.")
  var gradients = false

  @OptionGroup var options: BenchOptions

  func validate() throws {
    for name in shape where Self.parsed(name) == nil {
      throw ValidationError(
        "--shape takes batch, height, width, channels in : out as in 1x64x64x320:320, not \(name).")
    }
    if route == .direct1x1 {
      throw ValidationError("--route direct1x1 is for 1x1 kernels; these are 3x3.")
    }
  }

  func run() throws {
    try options.run { report in
      for name in shape {
        guard let (input, out) = Self.parsed(name) else { continue }
        time(name, input, out, &report)
      }
    }
  }

  private func time(_ name: String, _ input: [Int], _ out: Int, _ report: inout Report) {
    let x = Shape.filled(input)
    let weights = Shape.filled([3, 3, input[3], out])
    let pixels = input[0] * input[1] * input[2]
    let operations = 18 * Double(pixels) * Double(input[3] * out)
    let bytes = 4 * Double(pixels * (input[3] + out) + 9 * input[3] * out)
    let machine = report.machine
    func measure(_ name: String, _ body: () -> Void) -> Measurement {
      Measurement.of(
        name, repeat: options.repeat, operations: operations, bytes: bytes, on: machine, body)
    }
    report.add(
      measure("conv \(name)") {
        _ = x.convolved(with: weights, padding: Padding(1), route: route)
      })
    guard gradients else { return }
    let tape = Tape()
    let (variable, parameter) = (tape.watch(x), tape.watch(weights))
    let ofInput = variable.convolved(with: weights, padding: Padding(1), route: route)
    let ofWeights = x.convolved(with: parameter, padding: Padding(1), route: route)
    let seed = ofInput.detached
    report.add(
      measure("conv \(name) input gradient") {
        _ = tape.gradients(of: ofInput, seed: seed, withRespectTo: [variable])
      })
    report.add(
      measure("conv \(name) weight gradient") {
        _ = tape.gradients(of: ofWeights, seed: seed, withRespectTo: [parameter])
      })
  }

  private static func parsed(_ name: String) -> (input: [Int], out: Int)? {
    let parts = name.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let input = Shape.parsed(parts[0], count: 4),
      let out = Shape.parsed(parts[1], count: 1)
    else { return nil }
    return (input, out[0])
  }
}

extension ConvolutionRoute: ExpressibleByArgument {}
