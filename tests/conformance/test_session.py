"""Logging in and out with pyvmomi."""

import hashlib
import ssl

import pytest
from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import vim, vmodl


def connect(facts, **changes):
    arguments = {
        "host": facts["hostname"],
        "port": facts["port"],
        "protocol": facts["protocol"],
        "user": facts["username"],
        "pwd": facts["password"],
    }
    return SmartConnect(**{**arguments, **changes})


@pytest.mark.parametrize("personality, api", [("5.0", "5.0"), ("6.7", "6.7.3"), ("8.0", "8.0.2.0")])
def test_a_session_opens_and_closes(simulator, personality, api):
    lab = simulator(personality=personality)
    si = connect(lab.facts, disableSslCertValidation=True)
    assert si.content.about.apiVersion == api
    assert si.content.about.apiType == "VirtualCenter"
    assert si.CurrentTime().utcoffset().total_seconds() == 0
    assert si.content.sessionManager.currentSession.userName == lab.facts["username"]
    Disconnect(si)
    assert lab.sessions() == {"live": 0, "logins": 1, "logouts": 1}


@pytest.mark.parametrize("fact, algorithm", [("thumbprint", hashlib.sha256), ("sha1", hashlib.sha1)])
def test_either_thumbprint_pins_the_certificate(simulator, fact, algorithm):
    lab = simulator()
    # pyvmomi only pins its first connection, so this checks the thumbprint without pyvmomi.
    pem = ssl.get_server_certificate((lab.facts["hostname"], lab.facts["port"]))
    digest = algorithm(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    assert lab.facts[fact].replace(":", "").lower() == digest
    Disconnect(connect(lab.facts, thumbprint=lab.facts[fact]))


def test_a_ca_verifies_the_certificate(simulator, tmp_path):
    lab = simulator(certificate_dir=tmp_path)
    context = ssl.create_default_context(cafile=lab.facts["ca"])
    Disconnect(connect(lab.facts, sslContext=context))
    Disconnect(connect(lab.facts, host="localhost", sslContext=context))
    with pytest.raises(ssl.SSLError):
        connect(lab.facts, sslContext=ssl.create_default_context())


def test_plain_http_works(simulator):
    lab = simulator(http=True)
    Disconnect(connect(lab.facts))
    assert lab.sessions() == {"live": 0, "logins": 1, "logouts": 1}


@pytest.mark.parametrize("changes", [{"pwd": "wrong"}, {"user": "nobody"}, {"pwd": ""}])
def test_a_wrong_login_is_rejected(simulator, changes):
    lab = simulator()
    with pytest.raises(vim.fault.InvalidLogin):
        connect(lab.facts, disableSslCertValidation=True, **changes)
    assert lab.sessions()["live"] == 0


def test_nothing_is_readable_without_a_session(simulator):
    lab = simulator()
    si = connect(lab.facts, disableSslCertValidation=True)
    folder = si.content.rootFolder
    assert si.content.sessionManager.SessionIsActive(
        si.content.sessionManager.currentSession.key, lab.facts["username"]
    )
    si.content.sessionManager.Logout()
    assert si.content.sessionManager.currentSession is None
    for read in (lambda: folder.name, lambda: si.CurrentTime(), lambda: si.content.sessionManager.Logout()):
        with pytest.raises(vim.fault.NotAuthenticated):
            read()
    assert lab.sessions()["live"] == 0


def test_an_idle_session_ends(simulator):
    lab = simulator(session_timeout_s=0, latency_ms=5)
    si = connect(lab.facts, disableSslCertValidation=True)
    with pytest.raises(vim.fault.NotAuthenticated):
        si.CurrentTime()


def test_the_log_contains_no_secret(simulator):
    lab = simulator(password="Very-Secret-1!")
    si = connect(lab.facts, disableSslCertValidation=True)
    cookie = si._stub.cookie.split('"')[1]
    Disconnect(si)
    text = lab.control("GET", "/log")
    assert "Login" in lab.methods() and "Very-Secret-1!" not in text and cookie not in text
    lab.clear_log()
    assert lab.log() == []


def test_a_method_of_a_later_api_is_not_found(simulator):
    lab = simulator(personality="5.0")
    si = connect(lab.facts, disableSslCertValidation=True)
    vm = vim.VirtualMachine("vm-63", si._stub)
    assert si._stub.version == "vim.version.version7"
    with pytest.raises((vmodl.fault.MethodNotFound, AttributeError)):
        vm.CreateSecondaryVMEx_Task()
    Disconnect(si)
