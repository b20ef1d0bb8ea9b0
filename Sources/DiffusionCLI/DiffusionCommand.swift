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
    subcommands: [TrainCommand.self, InspectCommand.self])
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
    } catch  where isAboutUsage(error) {
      DiffusionCommand.exit(withError: error)
    } catch {
      Console.note("error: \(error)")
      Foundation.exit(1)
    }
  }

  /// Whether the parser prints it: wrong usage, help, the version.
  private static func isAboutUsage(_ error: any Error) -> Bool {
    let code = DiffusionCommand.exitCode(for: error)
    return code == .validationFailure || code == .success || error is ExitCode
  }
}

/// The user asked the program to stop; what was finished is kept.
struct StoppedByUser: Error {
  /// What was kept, and how to go on.
  let message: String
}
