import Diffusion
import DiffusionImages
import DiffusionModels
import TensorCore

extension DDPMTask {
  /// A grid of samples of the averaged weights, a row a class, by DDIM from the same noise every time.
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
    let threshold = configuration.process.threshold ?? .clamped(to: .greatestFiniteMagnitude)
    let seeds = (0..<count).map { UInt64(configuration.training.seed) &+ UInt64($0) }
    var trajectory = Trajectory(
      shape: model.shape(count: count), plan: configuration.process.plan(settings.steps),
      solver: DDIM(), denoiser: Thresholded(guided, threshold),
      noise: IntervalNoise(seeds: seeds))
    do {
      return Image.grid(ImageBatches.images(of: try trajectory.last()), columns: settings.perClass)
    } catch {
      throw .sampling("\(error)")
    }
  }
}
