import Diffusion
import TensorCore

extension LatentModel {
  /// What a run asks: the U-Net guided by texts, bounded as the model's scheduler has it, a consistency function where the
  /// sampler goes by such.
  typealias RunDenoiser<P: Process> = ConsistencyBoundary<
    Thresholded<ClassifierFreeGuidance<NetworkDenoiser<DeepCache<LatentModel>, P>>>, P
  >

  /// The denoiser of a run of a batch.
  ///
  /// A network that is told of guidance (Luo et al. 2023) is not guided beside, so that it is evaluated once a step. Guidance
  /// of 1 or less is none, as in diffusers: the folders of Turbo models are drawn with at 0.
  func denoiser<P: Process>(
    _ process: P, for sampler: Sampler, towards: [TextCondition], awayFrom: [TextCondition],
    guidance: Double, deepInterval: Int
  ) -> RunDenoiser<P> {
    let isTold = unet.configuration.guidanceWidth != nil
    let network = NetworkDenoiser(
      DeepCache(self, interval: deepInterval), process: process,
      parameterization: self.process.networkParameterization)
    let guided = ClassifierFreeGuidance(
      network, towards: isTold ? towards.map { $0.told(guidance) } : towards, awayFrom: awayFrom,
      scale: isTold ? 1 : max(1, guidance))
    let bounded = Thresholded(
      guided, self.process.threshold, keepsDirection: sampler.keepsDirection)
    return ConsistencyBoundary(
      bounded, process: process,
      timeScale: sampler.needsBoundary ? self.process.consistencyTimeScale : nil)
  }
}

extension TextCondition {
  /// The same with how strongly the text is to be followed.
  fileprivate func told(_ guidance: Double) -> Self {
    var condition = self
    condition.guidance = guidance
    return condition
  }
}
