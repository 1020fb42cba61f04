"""The published data sets: where their files are searched, and how errors are reported."""

import gzip
import hashlib
import shutil
import struct

import numpy as np
import pooch
import pytest

from swarm_nca.images import DATASETS, load_dataset
from swarm_nca.images.datasets import DATA_FOLDER, DataSet


def write_files(folder, images, labels, prefix="t10k", compress=True):
    folder.mkdir(parents=True)
    images = struct.pack(">BBBBiii", 0, 0, 8, 3, *images.shape) + images.tobytes()
    labels = struct.pack(">BBBBi", 0, 0, 8, 1, len(labels)) + bytes(labels)
    for name, data in (("images-idx3-ubyte", images), ("labels-idx1-ubyte", labels)):
        path = folder / f"{prefix}-{name}{'.gz' if compress else ''}"
        path.write_bytes(gzip.compress(data) if compress else data)


IMAGES = np.array([[[0, 51], [102, 255]], [[255, 0], [0, 0]]], np.uint8)


@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize(("split", "prefix"), [("test", "t10k"), ("train", "train")])
def test_a_given_folder_is_read_with_compressed_or_plain_files(
    tmp_path, monkeypatch, compress, split, prefix
):
    write_files(tmp_path / "fashion-mnist", IMAGES, [9, 0], prefix, compress)
    monkeypatch.setenv(DATA_FOLDER, str(tmp_path))
    pictures = load_dataset("fashion-mnist", split)
    assert np.allclose(pictures.grey, IMAGES / 255)
    assert [pictures.classes[label] for label in pictures.labels] == ["ankle boot", "T-shirt"]


@pytest.mark.parametrize("folder", [".", "~nosuchuser/x"])
def test_a_folder_without_the_files_is_refused_with_both_cures(tmp_path, monkeypatch, folder):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(DATA_FOLDER, folder)
    with pytest.raises(ValueError, match=r"t10k-images-idx3-ubyte.gz does not exist: put .* or un"):
        load_dataset("mnist")


def test_offline_without_data_is_refused_with_both_cures(tmp_path, monkeypatch):
    def refuse(url, **_):
        raise ConnectionError(f"no route to {url}")

    monkeypatch.delenv(DATA_FOLDER, raising=False)
    monkeypatch.setattr(pooch, "retrieve", refuse)
    with pytest.raises(ValueError, match=r"go online once, or set SWARM_NCA_DATA") as caught:
        load_dataset("mnist")
    assert all(mirror in str(caught.value) for mirror in DATASETS["mnist"].mirrors)


def test_without_a_folder_the_files_are_fetched_once_checked_and_cached(tmp_path, monkeypatch):
    """A folder on this machine's disk replaces the network; the first mirror fails."""
    write_files(tmp_path / "mirror", IMAGES, [1, 2])
    sums = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (tmp_path / "mirror").iterdir()
    }
    fetched = []

    class FromDisk:
        def __init__(self, progressbar):
            assert progressbar

        def __call__(self, url, output_file, pooch):
            fetched.append(url)
            if url.startswith("https://dead/"):
                raise ConnectionError(url)
            shutil.copy(tmp_path / "mirror" / url.rsplit("/", 1)[1], output_file)

    monkeypatch.delenv(DATA_FOLDER, raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache" / name)
    monkeypatch.setattr(
        pooch.core, "choose_downloader", lambda url, progressbar: FromDisk(progressbar)
    )
    known = DataSet(DATASETS["mnist"].classes, ("https://dead/", "https://alive/"), sums)
    monkeypatch.setitem(DATASETS, "mnist", known)  # type: ignore[arg-type]
    assert load_dataset("mnist").labels.tolist() == [1, 2]
    assert [url.split("/")[2] for url in fetched] == ["dead", "alive"] * 2
    assert load_dataset("mnist").labels.tolist() == [1, 2]
    assert len(fetched) == 4

    wrong = DataSet(known.classes, known.mirrors, dict.fromkeys(sums, "0" * 64))
    monkeypatch.setitem(DATASETS, "mnist", wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="go online once"):
        load_dataset("mnist")


def test_unequal_numbers_of_pictures_and_labels_are_refused(tmp_path, monkeypatch):
    write_files(tmp_path / "mnist", IMAGES, [1, 2, 3])
    monkeypatch.setenv(DATA_FOLDER, str(tmp_path))
    with pytest.raises(ValueError, match=r"has 2 pictures but .* has 3 labels"):
        load_dataset("mnist")


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(ValueError, match=r"no data set 'fashion_mnist'.*did you mean 'fashion"):
        load_dataset("fashion_mnist")
    with pytest.raises(ValueError, match=r"no split 'tests'.*did you mean 'test'"):
        load_dataset("mnist", "tests")
