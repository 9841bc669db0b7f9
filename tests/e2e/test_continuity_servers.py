"""Real servers and their clients while workers die between them."""

import hashlib
import http.client
import socket

from support.clients import Clients
from support.continuity import RECOVERED, assert_nothing_was_lost, kill_worker


def test_http_clients_keep_their_connections(balancing, nginx, served_files):
    daemon, address = balancing(nginx().address)
    kept = {}

    def get(number, path="/hello"):
        if number not in kept:
            kept[number] = http.client.HTTPConnection(*address, timeout=30)
        kept[number].request("GET", path)
        response = kept[number].getresponse()
        assert response.status == 200
        return response.read()

    def download(number):
        assert hashlib.sha256(get(number, "/big")).hexdigest() == served_files.big_sha256

    def ask(number):
        if number == 0:
            download(number)
        else:
            assert get(number) == b"hello\n"

    with Clients(5, ask) as clients:
        for _ in range(8):
            clients.wait_for_answers(20)
            kill_worker(daemon)
        clients.wait_for_answers(50)
    assert clients.failures == []
    assert daemon.metrics().sum("holdfast_listener_connections_total") == 5
    for connection in kept.values():
        connection.close()
    assert daemon.metrics().value(RECOVERED) >= 8 * 4
    assert_nothing_was_lost(daemon, 8)


def test_pipelined_commands_are_all_answered_in_order(balancing, redis):
    daemon, address = balancing(redis().address)
    kept = {}
    last = {}

    def increment(number):
        """A hundred commands at once; each must have been carried out exactly once."""
        if number not in kept:
            client = socket.create_connection(address, 30)
            kept[number] = client, client.makefile("rb")
            last[number] = 0
        client, answers = kept[number]
        client.sendall(b"INCR counter-%d\r\n" % number * 100)
        for _ in range(100):
            last[number] += 1
            answer = answers.readline()
            assert answer == b":%d\r\n" % last[number], answer

    with Clients(4, increment) as clients:
        for _ in range(10):
            clients.wait_for_answers(20)
            kill_worker(daemon)
        clients.wait_for_answers(50)
    assert clients.failures == []
    for client, answers in kept.values():
        answers.close()
        client.close()
    assert daemon.metrics().sum("holdfast_listener_connections_total") == 4
    assert_nothing_was_lost(daemon, 10)
