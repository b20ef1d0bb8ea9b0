import TensorCore
import TensorLayers

extension UNet {
  /// The network's answer to noisy pictures: epsilon, the picture or the velocity, as it was trained.
  ///
  /// - Parameters:
  ///   - x: `[batch, height, width, in channels]`; height and width halve as often as there are levels but one.
  ///   - timesteps: one for each sample; may be fractional, except for a learned time embedding.
  ///   - classes: one for each sample where the network knows classes: a row of its table, or a number that is embedded
  ///     as a timestep is.
  ///   - classVectors: `[batch, time embedding width]` where the configuration's `class_embed_type` is `identity`.
  ///   - mode: training or inference, and what to recompute.
  /// - Returns: `[batch, height, width, out channels]`.
  public func callAsFunction(
    _ x: Tensor, timesteps: [Double], classes: [Int]? = nil, classVectors: Tensor? = nil,
    mode: ExecutionMode = .inference
  ) -> Tensor {
    check(x, timesteps)
    var embedding = timeEmbedding(timeProjection(timesteps, dtype: x.dtype))
    if let vectors = embeddedClasses(classes, classVectors, batch: x.shape[0], x.dtype) {
      embedding = embedding + vectors
    }
    let time = configuration.actFn(embedding)
    var input = configuration.centerInputSample ? x * 2 - 1 : x
    var hidden = inputConvolution(input)
    var skips = [hidden]
    for (level, block) in downBlocks.enumerated() {
      skips += block(hidden, picture: &input, time: time, mode: mode.part(level))
      hidden = skips[skips.count - 1]
    }
    if let midBlock { hidden = midBlock(hidden, time: time, mode: mode.part(downBlocks.count)) }
    var output: Tensor?
    for (level, block) in upBlocks.enumerated() {
      let part = mode.part(downBlocks.count + 1 + level)
      hidden = block(hidden, skips: &skips, picture: &output, time: time, mode: part)
    }
    let last = outputConvolution(outputNorm(hidden, thenSiLU: true))
    let result = output.map { last + $0 } ?? last
    if configuration.timeEmbeddingType != .fourier { return result }
    return result / Tensor(timesteps, shape: [x.shape[0], 1, 1, 1]).converted(to: x.dtype)
  }

  /// The same timestep for all samples.
  public func callAsFunction(
    _ x: Tensor, timestep: Double, classes: [Int]? = nil, mode: ExecutionMode = .inference
  ) -> Tensor {
    let timesteps = [Double](repeating: timestep, count: x.shape.first ?? 0)
    return self(x, timesteps: timesteps, classes: classes, mode: mode)
  }

  private func check(_ x: Tensor, _ timesteps: [Double]) {
    let factor = 1 << (configuration.blockOutChannels.count - 1)
    require(
      x.rank == 4 && x.shape[3] == configuration.inChannels, "UNet",
      "x is [batch, height, width, \(configuration.inChannels)], got \(x.shape)")
    require(
      x.shape[1] % factor == 0 && x.shape[2] % factor == 0, "UNet",
      "height and width of x \(x.shape) must be multiples of \(factor): it is halved at every level"
    )
    require(
      timesteps.count == x.shape[0], "UNet",
      "\(timesteps.count) timesteps for \(x.shape[0]) samples: give one for each")
  }

  private func embeddedClasses(
    _ classes: [Int]?, _ vectors: Tensor?, batch: Int, _ dtype: DType
  ) -> Tensor? {
    if configuration.classEmbedType == .identity {
      guard let vectors, vectors.shape == [batch, configuration.timeEmbeddingWidth] else {
        misuse(
          "UNet",
          "it takes class vectors [\(batch), \(configuration.timeEmbeddingWidth)], "
            + "got \(vectors.map { "\($0.shape)" } ?? "none")")
      }
      return vectors
    }
    require(
      vectors == nil, "UNet", "class vectors are for networks with class_embed_type identity only")
    let takesClasses = classTable != nil || classEmbedding != nil
    require(
      (classes?.count ?? 0) == (takesClasses ? batch : 0), "UNet",
      "\(classes?.count ?? 0) classes for \(batch) samples: give "
        + (takesClasses ? "one for each" : "none, this network knows no classes"))
    guard let classes else { return nil }
    if let classTable { return classTable(classes) }
    return classEmbedding?(timeProjection(classes.map(Double.init), dtype: dtype))
  }
}
