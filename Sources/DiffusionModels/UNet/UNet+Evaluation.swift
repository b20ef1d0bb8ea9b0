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
    answer(x, timesteps: timesteps, classes: classes, classVectors: classVectors, mode: mode)
      .answer
  }

  /// The same, with the deep features: what the outermost level's last block works on, `[batch, height, width, channels]`
  /// (see `DeepCache`).
  public func answer(
    _ x: Tensor, timesteps: [Double], classes: [Int]? = nil, classVectors: Tensor? = nil,
    mode: ExecutionMode = .inference
  ) -> (answer: Tensor, deep: Tensor) {
    check(x, timesteps)
    let time = embeddedTime(timesteps, classes, classVectors, batch: x.shape[0], x.dtype)
    var input = configuration.centerInputSample ? x * 2 - 1 : x
    var hidden = inputConvolution(input)
    var skips = [hidden]
    for (level, block) in downBlocks.enumerated() {
      skips += block(hidden, picture: &input, time: time, mode: mode.part(level))
      hidden = skips[skips.count - 1]
    }
    if let midBlock { hidden = midBlock(hidden, time: time, mode: mode.part(downBlocks.count)) }
    var output: Tensor?
    var deep = hidden
    for (level, block) in upBlocks.enumerated() {
      let part = mode.part(downBlocks.count + 1 + level)
      if level < upBlocks.count - 1 || hasPictures {
        hidden = block(hidden, skips: &skips, picture: &output, time: time, mode: part)
      } else {
        let last = block.skipCount - 1
        deep = block.part(0..<last, hidden, skips: &skips, time: time, mode: part)
        hidden = block.part(last..<last + 1, deep, skips: &skips, time: time, mode: part)
      }
    }
    let last = outputConvolution(outputNorm(hidden, thenSiLU: true))
    return (scaled(output.map { last + $0 } ?? last, timesteps), deep)
  }

  /// The answer with deep features of an earlier evaluation: only the input's convolution and the last block are
  /// computed. Not for networks whose blocks make pictures on the way (NCSN++).
  ///
  /// - Parameter deep: what ``answer(_:timesteps:classes:classVectors:mode:)`` gave for pictures of the same shape.
  public func answer(
    _ x: Tensor, timesteps: [Double], classes: [Int]? = nil, classVectors: Tensor? = nil,
    deep: Tensor
  ) -> Tensor {
    check(x, timesteps)
    require(
      !hasPictures && deep.shape.dropLast() == x.shape.dropLast(), "UNet",
      "deep features of shape \(deep.shape) do not go with pictures \(x.shape)")
    let time = embeddedTime(timesteps, classes, classVectors, batch: x.shape[0], x.dtype)
    var skips = [inputConvolution(configuration.centerInputSample ? x * 2 - 1 : x)]
    let outermost = upBlocks[upBlocks.count - 1]
    let last = outermost.skipCount - 1
    let hidden = outermost.part(
      last..<last + 1, deep, skips: &skips, time: time, mode: .inference)
    return scaled(outputConvolution(outputNorm(hidden, thenSiLU: true)), timesteps)
  }

  /// Whether blocks make pictures on the way, beside what they hand on; such a network has no deep features.
  public var hasPictures: Bool { configuration.upBlockTypes.contains { $0.isSkip } }

  private func scaled(_ result: Tensor, _ timesteps: [Double]) -> Tensor {
    if configuration.timeEmbeddingType != .fourier { return result }
    return result
      / Tensor(timesteps, shape: [timesteps.count, 1, 1, 1]).converted(to: result.dtype)
  }

  /// The activated time embedding with that of the classes.
  private func embeddedTime(
    _ timesteps: [Double], _ classes: [Int]?, _ vectors: Tensor?, batch: Int, _ dtype: DType
  ) -> Tensor {
    var embedding = timeEmbedding(timeProjection(timesteps, dtype: dtype))
    if let vectors = embeddedClasses(classes, vectors, batch: batch, dtype) {
      embedding = embedding + vectors
    }
    return configuration.actFn(embedding)
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
