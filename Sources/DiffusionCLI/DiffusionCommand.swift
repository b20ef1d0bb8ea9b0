import ArgumentParser
import Foundation

/// The root of the command line; one file a verb.
struct DiffusionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diffusion",
    abstract: "Trains and runs diffusion models on the CPU.",
    discussion: """
      Example:
        diffusion generate --class 7 --count 20 --seed 1 --out d%03d.png
      """,
    version: "0.1.0",
    subcommands: [
      GenerateCommand.self, OutpaintCommand.self, UpscaleCommand.self, InterpolateCommand.self,
      ReproduceCommand.self, TrainCommand.self, InspectCommand.self,
      ConvertCommand.self,
      SamplersCommand.self,
      IllustrateCommand.self, TokenizeCommand.self, ClassifyCommand.self, RetrieveCommand.self,
      EncodeCommand.self, DecodeCommand.self,
      LikelihoodCommand.self,
    ])
}

/// Where the program starts: parses, runs, and turns every outcome into one of four exit codes.
///
/// 0 done, 1 the work failed, 64 wrong usage, 130 stopped by the user.
@main
enum EntryPoint {
  static func main() async {
    do {
      let arguments = OptionalValue.normalized(Array(CommandLine.arguments.dropFirst()))
      var command = try DiffusionCommand.parseAsRoot(arguments)
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch let stopped as StoppedByUser {
      Console.note(stopped.message)
      Foundation.exit(130)
    } catch {
      let code = DiffusionCommand.exitCode(for: error)
      if code == .validationFailure {
        Console.note("error: \(DiffusionCommand.message(for: error)) (--help tells more)")
        Foundation.exit(code.rawValue)
      }
      if code == .success || error is ExitCode { DiffusionCommand.exit(withError: error) }
      Console.note("error: \(error)")
      Foundation.exit(1)
    }
  }
}

/// The user asked the program to stop; what was finished is kept.
struct StoppedByUser: Error {
  /// What was kept, and how to go on.
  let message: String
}
