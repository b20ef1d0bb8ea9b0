import Diffusion
import TensorCore

/// What pictures are asked of an ``ImagePipeline``.
public struct ImageRequest: Sendable, Hashable, Codable {
  /// For each picture, the class to show; `nil` for none.
  public var classes: [Int?]
  /// How many steps of the sampler.
  public var steps: Int
  /// The sampler, by its name or an alias in `SolverCatalog`.
  public var sampler: String
  /// What is asked of the sampler beyond its name. A variance that the model learned is added.
  public var options: SolverOptions
  /// Which levels are visited, by a name or an alias in `ScheduleCatalog` or as listed levels; `nil` is the model's own.
  public var schedule: String?
  /// What is asked of the schedule beyond its name.
  public var scheduleOptions: ScheduleOptions
  /// How strongly the class is followed: 1 is the plain conditional model, more exaggerates, 0 ignores it. See
  /// `ClassifierFreeGuidance`.
  public var guidance: Double
  /// The first picture's seed; picture `i` has `seed + i`, and depends on nothing else.
  public var seed: UInt64
  /// Whose random numbers a seed stands for.
  public var generator: GeneratorKind
  /// Pictures that go through the network at once; changes the speed and the memory, not the pictures.
  public var batchSize: Int
  /// Evaluations of the network from one in which its deep features are computed to the next, see `DeepCache`; 1 for
  /// all. More is faster and draws somewhat different pictures.
  public var deepInterval: Int

  /// A request for `classes.count` pictures.
  public init(
    classes: [Int?], steps: Int = 50, sampler: String = "ddpm",
    options: SolverOptions = SolverOptions(), schedule: String? = nil,
    scheduleOptions: ScheduleOptions = ScheduleOptions(), guidance: Double = 1.2, seed: UInt64,
    generator: GeneratorKind = .torch, batchSize: Int = 64, deepInterval: Int = 1
  ) {
    self.classes = classes
    self.steps = steps
    self.sampler = sampler
    self.options = options
    self.schedule = schedule
    self.scheduleOptions = scheduleOptions
    self.guidance = guidance
    self.seed = seed
    self.generator = generator
    self.batchSize = batchSize
    self.deepInterval = deepInterval
  }

  /// How many pictures.
  public var count: Int { classes.count }

  /// The seed of picture `index`.
  public func seed(of index: Int) -> UInt64 { seed &+ UInt64(index) }
}
