import Diffusion
import TensorCore

/// The names that other tools have for samplers, schedules and generators.
enum ForeignNames {
  private static let samplers = [
    "Euler a", "Euler", "LMS", "Heun", "DPM2", "DPM2 a", "DPM++ 2S a", "DPM++ 2M", "DPM++ SDE",
    "DPM++ 2M SDE", "DPM++ 2M SDE Heun", "DPM++ 3M SDE", "DPM fast", "DPM adaptive", "Restart",
    "DDIM", "PLMS", "UniPC", "LCM",
  ]
  private static let schedules = [
    "Uniform", "Karras", "Exponential", "Polyexponential", "SGM Uniform", "KL Optimal",
    "Align Your Steps", "Simple", "DDIM", "Beta",
  ]

  /// What the web UI calls a sampler; its own name where the web UI has none.
  static func webUI(sampler name: String) -> String {
    let own = SolverCatalog.entry(named: name)?.name
    return samplers.first { SolverCatalog.entry(named: $0)?.name == own } ?? name
  }

  /// What the web UI calls a schedule.
  static func webUI(schedule name: String) -> String {
    guard let own = ScheduleCatalog.entry(named: name)?.name else { return name }
    return schedules.first { ScheduleCatalog.entry(named: $0)?.name == own } ?? name
  }

  /// What the web UI calls a generator.
  static func webUI(generator: GeneratorKind) -> String {
    switch generator {
    case .torch: "CPU"
    case .philox: "NV"
    case .numpy: "NumPy"
    }
  }

  private static let options = ["churn": "Sigma churn", "noise-scale": "Sigma noise"]

  /// What the web UI calls a sampler's option; where it has none, its own name as a field's.
  static func webUI(option name: String) -> String {
    options[name] ?? "Sampler \(name)"
  }

  /// The name of a sampler's option that the web UI calls so.
  static func option(_ foreign: String) -> String? {
    options.first { $0.value == foreign }?.key
      ?? (foreign.hasPrefix("Sampler ") ? String(foreign.dropFirst(8)) : nil)
  }

  /// Samplers that go by another name in a tool, or that a tool does otherwise than the one of that name.
  private static let renamed: [String: String] = [
    "uni_pc": "unipc-bh1",  // ComfyUI's default variant
    "dpm++2mv2": "dpm++2m",
    "heunpp2": "heun",
  ]

  /// The engine's name of a sampler, and what to say where it is not quite the same; `nil` where there is none.
  static func sampler(_ foreign: String) -> (name: String, remark: String?)? {
    let plain = foreign.hasSuffix("_gpu") ? String(foreign.dropLast(4)) : foreign
    if let own = renamed[plain.lowercased()] {
      return (own, own == "unipc-bh1" ? nil : "\(own) is drawn with in its place")
    }
    return SolverCatalog.entry(named: plain).map { ($0.name, nil) }
  }

  /// The engine's name of a schedule; `nil` where there is none.
  static func schedule(_ foreign: String) -> String? {
    foreign == "discrete" ? "uniform" : ScheduleCatalog.entry(named: foreign)?.name
  }

  /// The schedule that the web UI (1.9 and later) takes for `Automatic`.
  static func automaticSchedule(of sampler: String) -> String {
    switch sampler {
    case "dpm++2m", "dpm++sde", "dpm++2s-a", "dpm2", "dpm2-a", "restart": "karras"
    case "dpm++2m-sde", "dpm++2m-sde-heun", "dpm++3m-sde": "exponential"
    default: "uniform"
    }
  }
}
