import Diffusion
import DiffusionModels
import TensorCheckpoints
import TensorCore
import TensorLayers
import TextTokenizer

/// The parts of a latent model as files have them, whatever their layout: the structure of each, and where its
/// parameters are under the engine's names. Nothing is read yet but names and shapes.
public struct LatentParts: Sendable {
  /// One network.
  public struct Part<Configuration: Sendable>: Sendable {
    /// Its structure.
    public var configuration: Configuration
    /// Its parameters under the engine's names.
    public var source: any CheckpointSource
    /// What a checkpoint of the network has: names and shapes in the file's layout.
    public var tensors: [(name: String, shape: [Int])]
  }

  /// A text encoder with its tokenizer.
  public struct Text: Sendable {
    /// The encoder.
    public var part: Part<CLIPConfiguration>
    /// Whether it has a projection.
    public var hasProjection: Bool
    /// Whose names it has in a single file.
    public var naming: CLIPTextNaming
    /// Where the tokenizer is.
    public var tokenizer: TokenizerPlace
  }

  /// Where a tokenizer is.
  public enum TokenizerPlace: Sendable, Hashable {
    /// A folder as transformers writes it.
    case folder(String)
    /// CLIP's, which comes with the engine, with the id that fills a text up; `nil` for the end marker's.
    case embedded(padID: Int?)
  }

  /// What is not the files' own.
  public struct Options: Sendable, Hashable {
    /// Which of several files of parameters a folder's parts have, such as `fp16`.
    public var variant: String?
    /// A file or folder with another autoencoder.
    public var autoencoder: String?
    /// Files or folders with other text encoders, in the order of the model's.
    public var textEncoders: [String]
    /// What the U-Net's answer stands for, where that is not as the files say.
    public var parameterization: Parameterization?

    /// Options.
    public init(
      variant: String? = nil, autoencoder: String? = nil, textEncoders: [String] = [],
      parameterization: Parameterization? = nil
    ) {
      self.variant = variant
      self.autoencoder = autoencoder
      self.textEncoders = textEncoders
      self.parameterization = parameterization
    }
  }

  init(
    unet: Part<ConditionalUNetConfiguration>, autoencoder: Part<AutoencoderConfiguration>,
    texts: [Text], process: ProcessConfiguration, folder: String? = nil
  ) {
    self.folder = folder
    self.unet = unet
    self.autoencoder = autoencoder
    self.texts = texts
    self.process = process
  }

  /// The diffusers folder that the parts are of, where they are of one.
  var folder: String?
  /// The U-Net.
  public var unet: Part<ConditionalUNetConfiguration>
  /// The autoencoder.
  public var autoencoder: Part<AutoencoderConfiguration>
  /// The text encoders.
  public var texts: [Text]
  /// What the U-Net was trained on, and the scheduler that the model comes with.
  public var process: ProcessConfiguration
  /// How a small picture is noised before it is enlarged, of models that enlarge.
  public var lowResolution: ProcessConfiguration?
  /// Whether no negative prompt means zeros, and not an empty text's states (SDXL).
  public var zeroesEmptyNegative = false

  /// Finds a model's parts in a diffusers folder, a Hugging Face cache folder or a single file.
  ///
  /// - Parameter notes: gets a line for everything that was found and left aside.
  /// - Throws: ``PipelineError`` with the file, what was expected and what was found.
  public init(
    path: String, options: Options = Options(), notes: inout [String]
  ) throws(PipelineError) {
    guard let location = try LatentLocation(path) else {
      throw .noModel(
        path: path,
        problem:
          "expected a diffusers folder (model_index.json, unet, vae, text_encoder), a Hugging "
          + "Face cache folder, or one file with \(ConditionalUNetConfiguration.singleFilePrefix) "
          + "in its names, found neither")
    }
    switch location {
    case .folder(let folder):
      try self.init(folder: folder, options: options, notes: &notes)
    case .file(let file):
      let source: any CheckpointSource
      do throws(CheckpointError) {
        source = try openCheckpoint(path: file)
      } catch {
        throw .model(.checkpoint(error))
      }
      try self.init(singleFile: source, options: options, notes: &notes)
    }
    if let parameterization = options.parameterization {
      process.parameterization = parameterization
    }
  }
}

extension LatentParts {
  /// The side of a picture where none is asked for: that of the latents the U-Net was trained on.
  public var usualSide: Int {
    (unet.configuration.sampleSize ?? 64) * autoencoder.configuration.reduction
  }
}
