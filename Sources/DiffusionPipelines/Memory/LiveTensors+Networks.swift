import DiffusionModels

extension LiveTensors {
  /// An evaluation of a U-Net on latents, with texts of so many tokens.
  mutating func evaluate(
    _ unet: ConditionalUNetConfiguration, on latents: Place, textTokens: Int
  ) {
    let channels = unet.blockOutChannels
    let text = latents.batch * textTokens
    var place = latents
    var skips: [(place: Place, channels: Int)] = []
    func keep(_ channels: Int) { skips.append((place, channels)) }
    convolve(place, unet.inChannels, channels[0])
    keep(channels[0])
    for level in channels.indices {
      for layer in 0..<unet.layersPerBlock[level] {
        let inputs = layer > 0 ? channels[level] : channels[max(0, level - 1)]
        residual(place, inputs, channels[level], hasTime: true)
        if unet.downBlocks[level] == .cross {
          transform(
            place, channels[level], depth: unet.transformerDepths[level], textTokens: text)
          drop(place.pixels * channels[level])
        }
        keep(channels[level])
      }
      if level < channels.count - 1 {
        convolve(place, channels[level], channels[level], stride: 2)
        place = place.halved
        keep(channels[level])
      }
    }
    var width = channels[channels.count - 1]
    if unet.midBlock != nil {
      middle(unet, place, textTokens: text)
    } else {
      take(place.pixels * width)
    }
    for level in channels.indices.reversed() {
      let (input, isCross) = (
        place.pixels * width, unet.upBlocks[channels.count - 1 - level] == .cross
      )
      for layer in 0...unet.layersPerBlock[level] {
        guard let skip = skips.popLast() else { break }
        residual(
          place, width + skip.channels, channels[level], skip: skip.channels, hasTime: true)
        drop(place.pixels * skip.channels)
        if layer > 0 { drop(place.pixels * width) }
        width = channels[level]
        if isCross {
          transform(place, width, depth: unet.transformerDepths[level], textTokens: text)
          drop(place.pixels * width)
        }
      }
      if level > 0 {
        upsample(place, width)
        drop(place.pixels * width)
        place = skips.last?.place ?? place.doubled
      }
      drop(input)
    }
    take(place.pixels * width)
    convolve(place, width, unet.outChannels)
    drop(place.pixels * (2 * width + unet.outChannels))
  }

  private mutating func middle(
    _ unet: ConditionalUNetConfiguration, _ place: Place, textTokens: Int
  ) {
    let last = unet.blockOutChannels.count - 1
    let width = unet.blockOutChannels[last]
    residual(place, width, width, hasTime: true)
    transform(place, width, depth: unet.transformerDepths[last], textTokens: textTokens)
    drop(place.pixels * width)
    residual(place, width, width, hasTime: true)
    drop(place.pixels * width)
  }

  // MARK: - Autoencoders

  /// Decoding of latents to pictures, one sample.
  mutating func decode(_ autoencoder: AutoencoderConfiguration, _ latent: Place) {
    let channels = Array(autoencoder.blockOutChannels.reversed())
    var (place, width) = (latent, channels[0])
    convolve(place, autoencoder.latentChannels, width)
    middle(autoencoder, place, width)
    for (level, outputs) in channels.enumerated() {
      let input = place.pixels * width
      for layer in 0...autoencoder.layersPerBlock {
        residual(place, width, outputs, hasTime: false)
        if layer > 0 { drop(place.pixels * width) }
        width = outputs
      }
      if level < channels.count - 1 {
        upsample(place, width)
        drop(place.pixels * width)
        place = place.doubled
      }
      drop(input)
    }
    take(place.pixels * width)
    convolve(place, width, autoencoder.outChannels)
    drop(place.pixels * (2 * width + autoencoder.outChannels))
  }

  /// Encoding of a picture, one sample.
  mutating func encode(_ autoencoder: AutoencoderConfiguration, _ picture: Place) {
    let channels = autoencoder.blockOutChannels
    var (place, width) = (picture, channels[0])
    convolve(place, autoencoder.inChannels, width)
    for (level, outputs) in channels.enumerated() {
      let input = place.pixels * width
      for layer in 0..<autoencoder.layersPerBlock {
        residual(place, width, outputs, hasTime: false)
        if layer > 0 { drop(place.pixels * width) }
        width = outputs
      }
      if level < channels.count - 1 {
        convolve(place, width, width, stride: 2)
        drop(place.pixels * width)
        place = place.halved
      }
      drop(input)
    }
    middle(autoencoder, place, width)
    take(place.pixels * width)
    convolve(place, width, 2 * autoencoder.latentChannels)
    drop(place.pixels * (2 * width + 2 * autoencoder.latentChannels))
  }

  /// Two residual blocks with attention between; the input goes.
  private mutating func middle(
    _ autoencoder: AutoencoderConfiguration, _ place: Place, _ width: Int
  ) {
    let whole = place.pixels * width
    residual(place, width, width, hasTime: false)
    drop(whole)
    if autoencoder.hasMiddleAttention {
      take(whole)
      attend(place.pixels, place.pixels, width)
      take(whole)
      drop(3 * whole)
    }
    residual(place, width, width, hasTime: false)
    drop(whole)
  }
}
