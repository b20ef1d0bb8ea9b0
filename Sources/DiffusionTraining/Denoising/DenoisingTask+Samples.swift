import Diffusion
import DiffusionImages
import DiffusionModels
import TensorCore

extension DenoisingTask {
  /// A grid of samples of the averaged weights, a row a class, from the same noise every time: by DDIM, or the sampler that
  /// fits a continuous process.
  public func samples(of network: UNet) throws(TrainingError) -> Image? {
    let model = PixelModel(network: network, configuration: configuration.pixelModel)
    let settings = configuration.samples
    let rows = max(1, model.classCount == 0 ? settings.perClass : model.classCount)
    let count = rows * settings.perClass
    let classes: [Int?] = (0..<count).map {
      model.classCount == 0 ? nil : $0 / settings.perClass
    }
    let guided = ClassifierFreeGuidance(
      model.denoiser, towards: classes, awayFrom: classes.map { _ in nil },
      scale: settings.guidance)
    let fitting = SolverCatalog.entry(named: configuration.process.defaultSampler)
    var sampler = Sampler(DDIM(), keepsDirection: true)
    if configuration.process.kind != .discrete, let fitting {
      sampler = fitting.make(SolverOptions())
    }
    let bounded = Thresholded(
      guided, configuration.process.threshold, keepsDirection: sampler.keepsDirection)
    let seeds = (0..<count).map { UInt64(configuration.training.seed) &+ UInt64($0) }
    let plan = configuration.process.plan(settings.steps)
    func last(_ solver: some Solver) throws(TrainingError) -> Tensor {
      var trajectory = Trajectory(
        shape: model.shape(count: count), plan: plan, solver: solver, denoiser: bounded,
        noise: IntervalNoise(seeds: seeds))
      do {
        return try trajectory.last()
      } catch {
        throw .sampling("\(error)")
      }
    }
    let samples = try last(sampler.solver)
    return Image.grid(ImageBatches.images(of: samples), columns: settings.perClass)
  }
}
