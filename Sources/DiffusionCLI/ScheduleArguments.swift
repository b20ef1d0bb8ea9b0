import ArgumentParser
import Diffusion

/// The options that choose which levels a run visits.
struct ScheduleArguments: ParsableArguments {
  @Option(
    help: """
      Which levels are visited: a name that `diffusion samplers` lists, or falling levels such as 14.6,2.5,0.4 \
      (default: the model's).
      """)
  var schedule: String?

  @Option(help: "How far a rectified flow's time is shifted towards noise.")
  var shift: Double?

  @Option(help: "The schedule's exponent, where it has one.")
  var rho: Double?

  @Option(help: "The schedule's last level before clean data, where it lays out levels.")
  var sigmaMin: Double?

  @Option(help: "The schedule's first level, where it lays out levels.")
  var sigmaMax: Double?

  var options: ScheduleOptions {
    ScheduleOptions(rho: rho, sigmaMin: sigmaMin, sigmaMax: sigmaMax, shift: shift)
  }

  /// Options of a schedule without one are not to be passed over in silence.
  func validate() throws {
    if schedule == nil, shift != nil || rho != nil || sigmaMin != nil || sigmaMax != nil {
      throw ValidationError(
        "--shift, --rho, --sigma-min and --sigma-max belong to a schedule: name one by --schedule.")
    }
    for (name, value) in [("rho", rho), ("sigma-min", sigmaMin), ("sigma-max", sigmaMax)] {
      if let value, !(value > 0 && value.isFinite) {
        throw ValidationError("--\(name) takes a number above 0, not \(value).")
      }
    }
  }
}
