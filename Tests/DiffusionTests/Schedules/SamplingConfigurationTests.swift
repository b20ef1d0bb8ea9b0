import Diffusion
import Foundation
import Testing

/// diffusers' scheduler_config.json.
@Suite struct SamplingConfigurationTests {
  private func configuration(_ text: String) throws -> ProcessConfiguration {
    try ProcessConfiguration(json: Data(text.utf8))
  }

  @Test func defaultsAreTheClasss() throws {
    let euler = try configuration(#"{"_class_name": "EulerDiscreteScheduler"}"#)
    #expect(!euler.clampsEstimates && euler.spacing == .linspace && euler.endsClean)
    let ddim = try configuration(#"{"_class_name": "DDIMScheduler"}"#)
    #expect(ddim.clampsEstimates && ddim.spacing == .leading)
    let lcm = try configuration(#"{"_class_name": "LCMScheduler", "clip_sample": true}"#)
    #expect(lcm.clampsEstimates && lcm.schedule == .scaledLinear && lcm.lastBeta == 0.012)
    let pndm = try configuration(#"{"_class_name": "PNDMScheduler"}"#)
    #expect(!pndm.endsClean)
    let flow = try configuration(#"{"_class_name": "FlowMatchEulerDiscreteScheduler"}"#)
    #expect(flow.parameterization == .flow)
    #expect(try configuration("{}") == ProcessConfiguration())
  }

  /// Stable Diffusion 2.1's file, and what DPM-Solver's save: `-Infinity` is no JSON, and `null` no value.
  @Test func filesOfPublishedModelsAreRead() throws {
    let text = #"""
      {"_class_name": "DPMSolverMultistepScheduler", "_diffusers_version": "0.19.0",
       "algorithm_type": "sde-dpmsolver++", "beta_end": 0.012, "beta_schedule": "scaled_linear",
       "beta_start": 0.00085, "dynamic_thresholding_ratio": 0.995, "euler_at_final": false,
       "lambda_min_clipped": -Infinity, "lower_order_final": true, "num_train_timesteps": 1000,
       "prediction_type": "v_prediction", "sample_max_value": 1.0, "solver_order": 2,
       "solver_type": "heun", "steps_offset": 1, "thresholding": false, "trained_betas": null,
       "timestep_spacing": "leading", "use_karras_sigmas": true, "variance_type": null}
      """#
    let scheduler = try configuration(text)
    #expect(scheduler.sampling.scheduler == .dpmMultistep)
    #expect(scheduler.sampling.leastLambda == nil)
    #expect(scheduler.solverName == "dpm++2m-sde-heun")
    #expect(scheduler.parameterization == .velocity)
    #expect(scheduler.levels(20).count == 21)
  }

  @Test(arguments: [
    (#""DDPMParallelScheduler""#, "ddpm"),
    (#""PNDMScheduler", "skip_prk_steps": true"#, "plms"), (#""PNDMScheduler""#, "pndm"),
    (#""DPMSolverMultistepScheduler""#, "dpm++2m"),
    (#""DPMSolverMultistepScheduler", "solver_order": 3"#, "dpm++3m"),
    (#""DPMSolverMultistepScheduler", "algorithm_type": "dpmsolver""#, "dpm-multi"),
    (#""EDMDPMSolverMultistepScheduler", "algorithm_type": "sde-dpmsolver++""#, "dpm++2m-sde"),
    (#""UniPCMultistepScheduler", "solver_type": "bh1""#, "unipc-bh1"),
    (#""UniPCMultistepScheduler""#, "unipc"),
    (#""HeunDiscreteScheduler""#, "HeunDiscreteScheduler"),
    (#""CosineDPMSolverMultistepScheduler""#, "dpm++2m-sde"),
    (#""SomebodysScheduler""#, "SomebodysScheduler"),
  ])
  func solversAreNamed(_ keys: String, _ name: String) throws {
    #expect(try configuration("{\"_class_name\": \(keys)}").solverName == name)
  }

  /// The inverse of a multistep solver, which is that solver over a reversed plan, has no name of its own.
  @Test(arguments: SchedulerClass.allCases)
  func solversAreInTheCatalogue(_ scheduler: SchedulerClass) throws {
    if scheduler == .dpmMultistepInverse { return }
    let configuration = try configuration("{\"_class_name\": \"\(scheduler.rawValue)\"}")
    let name = try #require(configuration.solverName)
    let entry = try #require(SolverCatalog.entry(named: name), "\(name)")
    try configuration.solverOptions.check(for: entry)
  }

  @Test func ordersAreOptions() throws {
    let solver = try configuration(
      #"{"_class_name": "UniPCMultistepScheduler", "solver_order": 3, "use_karras_sigmas": true}"#)
    #expect(solver.solverOptions.order == 3)
    #expect(solver.samplingProcess.timestep(at: 3.7) == 4)
    #expect(try configuration("{}").solverOptions.order == nil)
  }

  @Test func stepsThatDoNotFitAreSaid() throws {
    let lcm = try configuration(#"{"_class_name": "LCMScheduler"}"#)
    #expect(lcm.problem(steps: 51) == "expected 1 to 50, found 51" && lcm.problem(steps: 4) == nil)
    let solver = try configuration(#"{"_class_name": "DPMSolverMultistepScheduler"}"#)
    #expect(solver.problem(steps: 999) == nil && solver.problem(steps: 1000) != nil)
    let offset = try configuration(#"{"_class_name": "DDIMScheduler", "steps_offset": 1}"#)
    #expect(offset.problem(steps: 1000)?.contains("offset lead past its 1000") == true)
    #expect(offset.problem(steps: 500) == nil)
  }

  @Test func whatIsReadIsWritten() throws {
    let text = #"""
      {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 3.0, "use_dynamic_shifting": true,
       "base_shift": 0.25, "prediction_type": "flow_prediction"}
      """#
    let scheduler = try configuration(text)
    let written = try JSONEncoder().encode(scheduler)
    #expect(try ProcessConfiguration(json: written) == scheduler)
    let shift = try #require(scheduler.flowShift(tokens: 256))
    #expect(abs(shift - exp(0.25)) < 1e-14)
    #expect(try configuration("{}").flowShift(tokens: 256) == nil)
    let plain = String(decoding: try JSONEncoder().encode(ProcessConfiguration()), as: UTF8.self)
    #expect(!plain.contains("solver_order"))
  }

  @Test func unknownKeysAreReported() throws {
    let keys = [
      "_class_name", "use_karras_sigmas", "beta_start", "use_karas_sigmas", "_diffusers_version",
    ]
    #expect(ProcessConfiguration.unknownKeys(in: keys) == ["use_karas_sigmas"])
    let text = #"{"_class_name": "SomebodysScheduler", "beta": 1, "lambda_min_clipped": -Infinity}"#
    #expect(
      try ProcessConfiguration.unknownParts(json: Data(text.utf8)) == [
        "key beta is not known, ignored",
        "scheduler SomebodysScheduler is not known; the model's timesteps are taken evenly",
      ])
  }

  @Test(arguments: [
    (#""interpolation_type": "log_linear""#, "expected linear, found log_linear"),
    (#""final_sigmas_type": "one""#, "expected zero or sigma_min, found one"),
    (#""use_karras_sigmas": true, "use_beta_sigmas": true"#, "one grid of levels at most"),
    (#""solver_order": 4"#, "expected 1 to 3, found 4"),
    (#""shift": 0"#, "expected a number above 0, found 0.0"),
    (#""sigma_min": 2, "sigma_max": 1"#, "below sigma_max, found 2.0"),
    (#""algorithm_type": "sde-dpmsolver""#, "dpmsolver or deis or data_prediction, found sde-"),
    (#""solver_type": "bh3""#, "expected midpoint or heun or logrho or bh1 or bh2, found bh3"),
    (
      #""_class_name": "CosineDPMSolverMultistepScheduler", "sigma_data": 0.5"#,
      "expected 1, that of networks told an angle, found 0.5"
    ),
    (
      #""_class_name": "IPNDMScheduler", "prediction_type": "epsilon""#,
      "expected v_prediction, found epsilon"
    ),
    (#""invert_sigmas": true"#, "expected false, found true"),
  ])
  func whatIsNotDoneIsRefused(_ keys: String, _ text: String) {
    let error = #expect(throws: DecodingError.self) { try configuration("{\(keys)}") }
    #expect("\(String(describing: error))".contains(text))
  }
}
