import TensorCheckpoints

extension TinyAutoencoderConfiguration {
  /// Every key that is read, and those that say what is so anyway.
  public static let keys =
    CodingKeys.allCases.map(\.rawValue) + [
      "upsampling_scaling_factor", "upsample_fn", "force_upcast", "latent_magnitude",
      "latent_shift", "block_out_channels",
    ]

  /// One half of a tiny autoencoder, which its authors keep in a file of its own.
  public enum Half: Sendable, Hashable {
    case encoder
    case decoder
  }

  /// The structure of a whole autoencoder under diffusers' names, read from its tensors' shapes; `nil` where `source` is none.
  public init?(shapesOf source: any CheckpointSource) {
    let shapes = SingleFileShapes(source, under: "decoder.layers.")
    guard let latent = shapes.length("0.weight", 1),
      SingleFileShapes(source, under: "encoder.layers.")["0.weight"]?.count == 4
    else { return nil }
    self.init(latentChannels: latent, in: source)
  }

  /// The structure of half an autoencoder under its authors' names, and which half it is; `nil` where `source` is none.
  ///
  /// The decoder's layers begin behind the function that draws latents in, so that it has no layer 0.
  public static func half(
    shapesOf source: any CheckpointSource
  ) -> (configuration: TinyAutoencoderConfiguration, half: Half)? {
    let shapes = SingleFileShapes(source, under: "")
    if let latent = shapes.length("14.weight", 0), shapes["0.weight"]?.count == 4 {
      return (Self(latentChannels: latent, in: source), .encoder)
    }
    if let latent = shapes.length("1.weight", 1), shapes["0.weight"] == nil,
      shapes["3.conv.0.weight"] != nil
    {
      return (Self(latentChannels: latent, in: source), .decoder)
    }
    return nil
  }

  private init(latentChannels: Int, in source: any CheckpointSource) {
    self.init()
    self.latentChannels = latentChannels
    hasPooledBlocks = source.entries.contains { $0.name.contains(".pool.") }
  }
}
